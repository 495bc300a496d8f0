"""Tag lists: complete or an error, bounded, and asked as seldom as can be."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.errors import ImageNotFound, RegistryAnswerInvalid, RegistryUnreachable
from tests.integration.registry.asking import Memory, Ticks, client, failure, reference
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply

LIST = "GET /v2/app/tags/list"
FIRST = f"{LIST}?n=1000"


def page(tags: Sequence[object], link: str = "") -> Reply:
    headers = {"Link": link} if link else {}
    return Reply(200, headers, json.dumps({"name": "app", "tags": tags}).encode())


class Repository:
    """A repository of many tags, in pages of 1,000; `links` says whether a page names the next one."""

    def __init__(self, count: int, *, links: bool) -> None:
        self._tags, self._links = [f"v{number:07}" for number in range(count)], links

    def __call__(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.target).query)
        start = int(query["last"][0][1:]) + 1 if "last" in query else 0
        tags = self._tags[start : start + 1000]
        more = self._links and start + 1000 < len(self._tags)
        return page(tags, f'</v2/app/tags/list?last={tags[-1]}&n=1000>; rel="next"' if more else "")


async def listed(script: dict[str, object]) -> tuple[tuple[str, ...], list[str]]:
    async with FaultyRegistry(script) as server:  # type: ignore[arg-type]  # replies or functions, by name
        return await client(server.address).tags(reference(server.address)), server.lines


@pytest.mark.parametrize(
    ("replies", "tags", "sent"),
    [
        pytest.param([page(["1", "2"])], ("1", "2"), [FIRST], id="one page"),
        pytest.param([page([])], (), [FIRST], id="none"),
        pytest.param([Reply(body=b'{"tags": null}')], (), [FIRST], id="null"),
        pytest.param([page(["1", None, 7, "sha256:" + "a" * 64, "bad tag", "2"])], ("1", "2"), [FIRST],
                     id="junk between tags"),
        pytest.param([page(["1"], '</v2/app/tags/list?last=1>; rel="next"'), page(["2"])], ("1", "2"),
                     [FIRST, f"{LIST}?last=1"], id="a link from the root"),
        pytest.param([page(["1"], "<list?last=1>; rel=next"), page(["2"])], ("1", "2"),
                     [FIRST, f"{LIST}?last=1"], id="a link from here"),
        pytest.param([page(["1", "2"], '<list?last=2>; rel="next"'), page([])], ("1", "2"),
                     [FIRST, f"{LIST}?last=2"], id="an empty last page"),
        pytest.param([page(["1", "2"], '<list?last=2>; rel="next"'), page(["2", "1"])], ("1", "2"),
                     [FIRST, f"{LIST}?last=2"], id="tags that come twice"),
    ],
)  # fmt: skip
def test_a_list_is_read_to_its_end(replies: list[Reply], tags: tuple[str, ...], sent: list[str]) -> None:
    assert asyncio.run(listed({LIST: replies})) == (tags, sent)


@pytest.mark.parametrize("links", [True, False], ids=["by links", "by the last tag"])
def test_every_page_of_thousands_of_tags_is_read(*, links: bool) -> None:
    tags, sent = asyncio.run(listed({LIST: Repository(4_500, links=links)}))
    assert len(tags) == len(set(tags)) == 4_500
    assert len(sent) == 5


Invalid, Unreachable = RegistryAnswerInvalid, RegistryUnreachable
CIRCLE = page(["1"], '<list?last=1>; rel="next"')


@pytest.mark.parametrize(
    ("replies", "kind", "sentence"),
    [
        pytest.param([CIRCLE], Invalid,
                     "the tags of app: it leads in a circle, page after page", id="a circle"),
        pytest.param([page(["1"], '<http://127.0.0.9/>; rel="next"')], Invalid,
                     "the tags of app: the next page is said to be at 127.0.0.9, another host", id="a thief"),
        pytest.param([Reply(404)], ImageNotFound, "it has no repository app", id="no repository"),
        pytest.param([Reply(504)], Unreachable,
                     "it answered with a fault of its own for repository app (HTTP 504)", id="too many"),
        pytest.param([Reply(body=b"[]")], Invalid,
                     "the tags of app: the answer is JSON, but no object", id="no object"),
        pytest.param([Reply(body=b'{"tags": "1"}')], Invalid,
                     "the tags of app: the tag list is no list", id="no list"),
        pytest.param([CIRCLE, Reply(500)], Unreachable,
                     "it answered with a fault of its own for repository app (HTTP 500)", id="page two"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_complete_is_an_error(
    replies: list[Reply], kind: type[Exception], sentence: str
) -> None:
    async def work() -> tuple[type[Exception], str]:
        async with FaultyRegistry({LIST: replies}) as server:
            error = await failure(client(server.address).tags(reference(server.address)))
            return type(error), error.message.replace(server.address, "it")

    assert asyncio.run(work()) == (kind, sentence)


def test_a_list_is_asked_again_only_when_it_is_a_day_old_or_on_demand() -> None:
    async def work() -> list[int]:
        clock, cache, counts = Ticks(), Memory(), list[int]()
        async with FaultyRegistry({LIST: [page(["1"])]}) as server:

            async def ask(*, refresh: bool = False) -> None:
                registry = client(server.address, clock=clock, cache=cache, refresh=refresh)
                assert await registry.tags(reference(server.address)) == ("1",)
                counts.append(len(server.lines))

            await ask()
            await ask()
            await ask(refresh=True)
            clock.jump(timedelta(hours=25).total_seconds())
            await ask()
        return counts

    assert asyncio.run(work()) == [1, 1, 2, 3]


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_memory_for_a_long_list_is_little_more_than_its_tags(count: int) -> None:
    repository = Repository(count, links=True)

    async def work() -> int:
        async with FaultyRegistry({LIST: repository}) as server:
            registry = client(server.address, timeout=30)
            return len(await registry.tags(reference(server.address)))

    tracemalloc.start()
    try:
        assert asyncio.run(work()) == count
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024**2 + count * 300
    finally:
        tracemalloc.stop()
