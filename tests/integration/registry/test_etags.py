"""What a registry knows again by its ETag costs a question, and no body."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.integration.registry.asking import Memory, Ticks, client, reference
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, Script, manifest
from tests.integration.registry.images import image

ONE, TWO = image("1"), image("2")
LIST, DAY = "GET /v2/app/tags/list", 90_000.0
Lists = list[tuple[str, ...]]
GET, HEAD = "GET /v2/app/manifests/1", "HEAD /v2/app/manifests/1"


class Tagged:
    """Answers with an ETag, and with 304 to whoever knows it; `unless` keeps what was sent."""

    def __init__(self, reply: Reply, etag: str) -> None:
        self.unless: list[str | None] = []
        self.change(reply, etag)

    def change(self, reply: Reply, etag: str) -> None:
        self._reply = replace(reply, headers={**reply.headers, "ETag": etag})
        self._etag = etag

    def __call__(self, asked: Asked) -> Reply:
        self.unless.append(asked.headers.get("if-none-match"))
        return Reply(304, {"ETag": self._etag}) if self.unless[-1] == self._etag else self._reply


def page(text: str, link: str = "") -> Reply:
    return Reply(headers={"Link": link} if link else {}, body=f'{{"tags": [{text}]}}'.encode())


def tags(
    tagged: Tagged, *, days: int, refresh: bool = False, then: Reply | None = None
) -> list[tuple[str, ...]]:
    """The tags on so many days, by a client of each day's own; `then` is there from the last day on."""

    async def work() -> Lists:
        clock, cache, found = Ticks(), Memory(), Lists()
        async with FaultyRegistry({LIST: tagged}) as server:
            for day in range(days):
                if then is not None and day == days - 1:
                    tagged.change(then, '"2"')
                registry = client(server.address, clock=clock, cache=cache, refresh=refresh)
                found.append(await registry.tags(reference(server.address)))
                clock.jump(DAY)
        return found

    return asyncio.run(work())


def test_a_tag_list_that_did_not_change_is_confirmed_without_being_sent() -> None:
    tagged = Tagged(page('"1", "2"'), '"1"')

    assert tags(tagged, days=3) == [("1", "2")] * 3
    assert tagged.unless == [None, '"1"', '"1"']


def test_a_tag_list_that_changed_is_sent_and_known_from_then_on() -> None:
    tagged = Tagged(page('"1"'), '"1"')

    assert tags(tagged, days=2, then=page('"1", "2"')) == [("1",), ("1", "2")]
    assert tagged.unless == [None, '"1"']


def test_on_demand_nothing_known_is_mentioned() -> None:
    tagged = Tagged(page('"1"'), '"1"')

    assert tags(tagged, days=2, refresh=True) == [("1",), ("1",)]
    assert tagged.unless == [None, None]


def test_a_list_of_several_pages_is_read_anew_since_its_first_page_tells_nothing_of_the_others() -> None:
    first = Tagged(page('"1"', '<list?last=1>; rel="next"'), '"1"')

    async def work() -> Lists:
        clock, cache, found = Ticks(), Memory(), Lists()
        script: Script = {f"{LIST}?n=1000": first, f"{LIST}?last=1": [page('"2"'), page('"3"')]}
        async with FaultyRegistry(script) as server:
            for _ in range(2):
                found.append(
                    await client(server.address, clock=clock, cache=cache).tags(reference(server.address))
                )
                clock.jump(DAY)
        return found

    assert asyncio.run(work()) == [("1", "2"), ("1", "3")]
    assert first.unless == [None, None]


def test_a_registry_without_digests_in_its_heads_confirms_what_it_sent_before() -> None:
    """Amazon's and Red Hat's did so: the bytes are hashed once, and asked for again by their ETag."""
    tagged = Tagged(manifest(ONE.index, Docker_Content_Digest=""), '"a"')

    async def work() -> tuple[list[str], list[str]]:
        cache, found = Memory(), list[str]()
        script: Script = {HEAD: [manifest(ONE.index, Docker_Content_Digest="")], GET: tagged}
        async with FaultyRegistry(script) as server:
            for day in range(3):
                if day == 2:
                    tagged.change(manifest(TWO.index, Docker_Content_Digest=""), '"b"')
                head = await client(server.address, cache=cache).head(reference(server.address))
                found.append(str(head.digest))
            return found, server.lines

    found, lines = asyncio.run(work())
    assert found == [ONE.index.digest, ONE.index.digest, TWO.index.digest]
    assert tagged.unless == [None, '"a"', '"a"']
    assert lines == [HEAD, GET] * 3


def test_an_etag_of_a_mirror_is_not_told_to_the_registry() -> None:
    async def work() -> tuple[list[str | None], list[str | None]]:
        ours, theirs = Tagged(page('"1"'), '"1"'), Tagged(page('"1"'), '"1"')
        clock, cache = Ticks(), Memory()
        async with FaultyRegistry({LIST: ours}) as server, FaultyRegistry({LIST: theirs}) as mirror:
            for mirrors in ((f"http://{mirror.address}",), ()):
                registry = client(server.address, clock=clock, cache=cache, mirrors=mirrors)
                await registry.tags(reference(server.address))
                clock.jump(DAY)
        return theirs.unless, ours.unless

    assert asyncio.run(work()) == ([None], [None])


def test_an_etag_that_could_not_be_sent_back_is_forgotten() -> None:
    tagged = Tagged(page('"1"'), '"\N{LATIN SMALL LETTER E WITH ACUTE}"')

    assert tags(tagged, days=2) == [("1",)] * 2
    assert tagged.unless == [None, None]
