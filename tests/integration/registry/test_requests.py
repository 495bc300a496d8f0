"""What is sent, and what is not: one HEAD a reference, a GET only for what is not known yet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import RegistryRateLimited, RegistryUnreachable
from bot.model.manifest import Index, Manifest
from bot.model.reference import Reference
from bot.registry import HostSettings
from bot.registry.pace import MOST_WAIT
from tests.integration.registry.asking import SHORT, Memory, Ticks, client, failure, reference
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, Script, manifest
from tests.integration.registry.images import image

IMAGE = image()
HEAD, GET = "HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"
PINNED = f"/v2/app/manifests/{IMAGE.index.digest}"
CHILD = f"/v2/app/manifests/{IMAGE.manifest.digest}"
BLOB = f"/v2/app/blobs/{IMAGE.config.digest}"
WHOLE: Script = {
    HEAD: [manifest(IMAGE.index)],
    GET: [manifest(IMAGE.index)],
    f"HEAD {PINNED}": [manifest(IMAGE.index)],
    f"GET {PINNED}": [manifest(IMAGE.index)],
    f"GET {CHILD}": [manifest(IMAGE.manifest)],
    f"GET {BLOB}": [Reply(body=IMAGE.config.body)],
}


def every_app(_: Asked) -> Reply:
    return manifest(IMAGE.index)


async def read_all(registry: Any, wanted: Reference) -> str | None:
    """Index, manifest and config of an image, as the cycle reads them."""
    index = await registry.content(wanted)
    assert isinstance(index, Index)
    one = await registry.content(wanted.with_digest(index.images[0].digest))
    assert isinstance(one, Manifest)
    config = await registry.config(wanted, one)
    return dict(config.labels).get("version")


def test_an_unchanged_image_costs_one_head_however_often_and_by_how_many_it_is_asked() -> None:
    async def work() -> tuple[list[str], dict[str, int]]:
        async with FaultyRegistry(WHOLE) as server:
            registry = client(server.address)
            wanted = reference(server.address)
            await asyncio.gather(*(registry.head(wanted) for _ in range(20)))
            await registry.head(wanted)
            return server.lines, dict(registry.requests())

    assert asyncio.run(work()) == ([HEAD], {"HEAD": 1})


def test_a_changed_image_is_read_by_digest_and_never_again_in_a_later_run() -> None:
    async def work() -> tuple[list[str], list[str]]:
        cache = Memory()
        async with FaultyRegistry(WHOLE) as server:
            assert await read_all(client(server.address, cache=cache), reference(server.address)) == "1"
            first = server.lines
            assert await read_all(client(server.address, cache=cache), reference(server.address)) == "1"
            return first, server.lines[len(first) :]

    first, second = asyncio.run(work())
    assert first == [HEAD, f"GET {PINNED}", f"GET {CHILD}", f"GET {BLOB}"]
    assert second == [HEAD]


def test_bytes_in_the_cache_that_are_no_longer_themselves_are_asked_again() -> None:
    async def work() -> list[str]:
        cache, clock = Memory(), Ticks()
        cache.cache("manifest", IMAGE.index.digest, b"{}", clock.now())
        async with FaultyRegistry(WHOLE) as server:
            await client(server.address, cache=cache).content(reference(server.address))
            return server.lines

    assert asyncio.run(work()) == [HEAD, f"GET {PINNED}"]


def test_a_reference_with_a_tag_and_a_digest_is_asked_by_the_digest() -> None:
    async def work() -> list[str]:
        async with FaultyRegistry(WHOLE) as server:
            wanted = reference(server.address).with_digest(IMAGE.index.digest)
            await client(server.address).head(wanted)
            return server.lines

    assert asyncio.run(work()) == [f"HEAD {PINNED}"]


ODD_DIGEST = [manifest(IMAGE.index, Docker_Content_Digest="sha256:oops")]
NO_DIGEST = [manifest(IMAGE.index, Docker_Content_Digest="")]


@pytest.mark.parametrize(
    ("head", "sent"),
    [
        pytest.param(NO_DIGEST, [HEAD, GET], id="a HEAD without a digest"),
        pytest.param([Reply(404)], [HEAD, GET], id="a HEAD that finds nothing"),
        pytest.param([Reply(405)], [HEAD, GET], id="a HEAD that is not allowed"),
        pytest.param(ODD_DIGEST, [HEAD, GET], id="a digest that is none"),
        pytest.param([manifest(IMAGE.index, Content_Type="")], [HEAD, GET], id="a HEAD without a media type"),
    ],
)  # fmt: skip
def test_a_head_that_says_too_little_is_followed_by_one_get_whose_bytes_are_hashed(
    head: list[Reply], sent: list[str]
) -> None:
    async def work() -> tuple[str, list[str]]:
        script = {HEAD: head, GET: NO_DIGEST}
        async with FaultyRegistry(script) as server:
            found = await client(server.address).head(reference(server.address))
            return str(found.digest), server.lines

    assert asyncio.run(work()) == (IMAGE.index.digest, sent)


@pytest.mark.parametrize(
    ("refusal", "least"),
    [
        pytest.param(Reply(429, {"Retry-After": "7"}), 7.0, id="seconds"),
        pytest.param(Reply(429, {"Retry-After": "0.4"}), 0.4, id="a fraction"),
        pytest.param(Reply(429, {"Retry-After": "331\xb5s"}), 0.1, id="331 µs"),
        pytest.param(Reply(429), 1.0, id="nothing said"),
        pytest.param(Reply(503, {"Retry-After": "3"}), 3.0, id="a 503 that names a time"),
    ],
)  # fmt: skip
def test_a_registry_that_asks_for_a_pause_gets_it_and_is_asked_the_same_again(
    refusal: Reply, least: float
) -> None:
    async def work() -> tuple[list[str], list[float]]:
        clock = Ticks()
        async with FaultyRegistry({HEAD: [refusal, manifest(IMAGE.index)]}) as server:
            await client(server.address, clock=clock).head(reference(server.address))
            return server.lines, clock.slept

    lines, slept = asyncio.run(work())
    assert lines == [HEAD, HEAD], "a refused HEAD never becomes a GET"
    assert least <= sum(slept) <= least * 1.3


AN_HOUR = [Reply(429, {"Retry-After": "3600"})]


def test_a_pause_that_stands_in_the_body_alone_is_read_there() -> None:
    async def work() -> tuple[list[str], list[float]]:
        clock = Ticks()
        refusal = Reply(429, body=b"retry-after: 331\xc2\xb5s, allowed: 44000/minute")
        async with FaultyRegistry({f"GET {PINNED}": [refusal, manifest(IMAGE.index)]}) as server:
            wanted = reference(server.address).with_digest(IMAGE.index.digest)
            await client(server.address, clock=clock).content(wanted)
            return server.lines, clock.slept

    lines, slept = asyncio.run(work())
    assert lines == [f"GET {PINNED}"] * 2
    assert 0.1 <= sum(slept) <= 0.13


@pytest.mark.parametrize(
    ("refusals", "heads", "sentence"),
    [
        pytest.param(AN_HOUR, 1, "(HTTP 429) and asks for a pause of 3600 s", id="an hour"),
        pytest.param([Reply(429)], 5, "(HTTP 429) and does not say for how long", id="for ever"),
    ],
)  # fmt: skip
def test_a_pause_longer_than_a_run_may_wait_leaves_the_image_unchecked_and_asks_no_more(
    refusals: list[Reply], heads: int, sentence: str
) -> None:
    async def work() -> tuple[list[str], str, str, float]:
        clock = Ticks()
        async with FaultyRegistry({HEAD: refusals}) as server:
            registry = client(server.address, clock=clock)
            error = await failure(registry.head(reference(server.address)))
            assert isinstance(error, RegistryRateLimited)
            later = await failure(registry.head(reference(server.address, "other:1")))
            message = error.message.replace(server.address, "it")
            return server.lines, message, later.message.replace(server.address, "it"), sum(clock.slept)

    lines, message, later, slept = asyncio.run(work())
    assert lines == [HEAD] * heads
    assert message == f"it limits our requests {sentence}"
    assert "longer than the 60 s a run may wait" in later
    assert slept < MOST_WAIT


def test_after_a_refusal_a_host_is_asked_one_at_a_time_and_more_only_after_good_answers() -> None:
    class Limited:
        def __init__(self) -> None:
            self.refused, self.came, self.eight = False, 0, asyncio.Event()

        def __call__(self, asked: Asked) -> Reply:
            if not self.refused and "/app9/" in asked.target:
                self.refused = True
                return Reply(429, {"Retry-After": "5"})
            self.came += 1
            if self.came == 1 + 8:
                self.eight.set()
            # The first one, which shows what login there is, is alone; then all who may wait for each other.
            until = self.eight if self.came > 1 else None
            return Reply(200, manifest(IMAGE.index).headers, pause=0.05, until=until)

    async def work() -> tuple[int, int, int]:
        async with FaultyRegistry({"*": Limited()}) as server:
            registry = client(server.address)
            names = [reference(server.address, f"app{number}:1") for number in range(40)]
            await asyncio.gather(*(registry.head(name) for name in names[:10]))
            before, server.most = server.most, 0
            await asyncio.gather(*(registry.head(name) for name in names[10:18]))
            slow, server.most = server.most, 0
            await asyncio.gather(*(registry.head(name) for name in names[18:]))
            return before, slow, server.most

    before, slow, later = asyncio.run(work())
    assert (before, slow) == (8, 1)
    assert 1 < later <= 4


def test_never_more_requests_are_in_flight_than_the_settings_allow() -> None:
    async def work() -> int:
        def slow(_: Asked) -> Reply:
            return Reply(200, manifest(IMAGE.index).headers, pause=0.01)

        async with FaultyRegistry({"*": slow}) as server:
            registry = client(server.address, concurrency=3)
            names = [reference(server.address, f"app{number}:1") for number in range(51)]
            await asyncio.gather(*(registry.head(name) for name in names))
            return server.most

    assert asyncio.run(work()) == 3


def test_one_repository_that_hangs_delays_the_others_by_no_more_than_its_own_time() -> None:
    async def work() -> tuple[list[str], str]:
        came = asyncio.Event()

        def hanging(asked: Asked) -> Reply:
            if "/bad/" not in asked.target:
                return every_app(asked)
            came.set()
            return Reply(pause=3600)

        async with FaultyRegistry({"*": hanging}) as server:
            registry = client(server.address, timeout=SHORT)
            bad = asyncio.create_task(failure(registry.head(reference(server.address, "bad:1"))))
            await came.wait()
            good = [registry.head(reference(server.address, f"app{number}:1")) for number in range(5)]
            await asyncio.gather(*good)
            return server.lines, (await bad).message.replace(server.address, "it")

    lines, message = asyncio.run(work())
    assert len(lines) == 6
    assert message == "it did not finish its answer within 2 s"


def test_a_registry_that_never_answers_is_given_up_after_four_questions_in_a_row() -> None:
    async def work() -> tuple[int, set[str]]:
        async with FaultyRegistry({"*": [Reply(pause=3600)]}) as server:
            registry = client(server.address, timeout=0.1, concurrency=2)
            names = [reference(server.address, f"app{number}:1") for number in range(40)]
            errors = await asyncio.gather(*(failure(registry.head(name)) for name in names))
            return len(server.lines), {error.message.replace(server.address, "it") for error in errors}

    asked, messages = asyncio.run(work())
    assert asked <= 6
    assert messages == {"it did not finish its answer within 0.1 s"}


def test_a_registry_that_answers_in_between_is_not_given_up() -> None:
    async def work() -> list[str]:
        def every_other(asked: Asked) -> Reply:
            return Reply(pause=3600) if "/bad" in asked.target else every_app(asked)

        async with FaultyRegistry({"*": every_other}) as server:
            registry, said = client(server.address, timeout=SHORT), list[str]()
            for number in range(5):
                error = await failure(registry.head(reference(server.address, f"bad{number}:1")))
                said.append(error.message.replace(server.address, "it"))
                await registry.head(reference(server.address, f"app{number}:1"))
            return said

    assert asyncio.run(work()) == ["it did not finish its answer within 2 s"] * 5


def test_what_a_registry_says_is_left_is_shown_as_people_read_it() -> None:
    async def work() -> tuple[dict[str, str], str]:
        left = manifest(IMAGE.index, ratelimit_limit="100;w=21600", ratelimit_remaining="98;w=21600")
        async with FaultyRegistry({HEAD: [left]}) as server:
            registry = client(server.address)
            await registry.head(reference(server.address))
            return dict(registry.quota()), server.address

    quota, address = asyncio.run(work())
    assert quota == {address: "98/100"}


def test_a_mirror_is_asked_first_and_the_registry_itself_where_the_mirror_has_nothing() -> None:
    async def work() -> tuple[list[str], list[str]]:
        async with FaultyRegistry(WHOLE) as server, FaultyRegistry({}) as mirror:
            registry = client(server.address, mirrors=(f"http://{mirror.address}/proxy",))
            await registry.head(reference(server.address))
            return mirror.lines, server.lines

    assert asyncio.run(work()) == (["HEAD /v2/proxy/app/manifests/1"], [HEAD])


def test_docker_hub_can_be_answered_for_by_a_mirror_alone() -> None:
    async def work() -> list[str]:
        async with FaultyRegistry({"*": every_app}) as mirror:
            hub = {"docker.io": HostSettings(mirrors=(f"http://{mirror.address}",))}
            await client(mirror.address, more=hub).head(Reference.parse("debian:bookworm-slim"))
            return mirror.lines

    assert asyncio.run(work()) == ["HEAD /v2/library/debian/manifests/bookworm-slim"]


def test_a_client_works_in_one_event_loop_after_the_other() -> None:
    async def serve(registry: Any, port_of: list[str]) -> list[str]:
        async with FaultyRegistry({"*": every_app}) as server:
            port_of.append(server.address)
            await registry.head(reference(server.address))
            return server.lines

    registry, addresses = client("127.0.0.1:1"), list[str]()
    assert asyncio.run(serve(registry, addresses)) == [HEAD]
    assert asyncio.run(serve(registry, addresses)) == [HEAD]
    assert registry.requests() == {"HEAD": 2}


def test_a_registry_of_several_names_is_asked_once_for_all_of_them() -> None:
    async def work() -> tuple[list[str], str | None]:
        async with FaultyRegistry(WHOLE) as server:
            registry = client(server.address, aliases=("hub.example", "old.example:5000"), token="secret")
            names = (server.address, "hub.example", "old.example:5000")
            heads = await asyncio.gather(*(registry.head(reference(name)) for name in names))
            assert len(set(heads)) == 1
            return server.lines, await read_all(registry, reference("hub.example"))

    lines, version = asyncio.run(work())
    assert lines == [HEAD]
    assert version == "1"


def test_what_a_mirror_does_not_have_is_not_gone_while_the_registry_itself_is_out_of_reach() -> None:
    async def work() -> str:
        async with FaultyRegistry({}) as mirror, FaultyRegistry() as server:
            address = server.address
            await server.__aexit__(None, None, None)
            registry = client(address, mirrors=(f"http://{mirror.address}",))
            error = await failure(registry.head(reference(address)))
            assert isinstance(error, RegistryUnreachable)
            return error.message.replace(address, "it")

    assert asyncio.run(work()) == "cannot connect to it: Connection refused"
