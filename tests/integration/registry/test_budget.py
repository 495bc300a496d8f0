"""A run stays inside what a registry says is left; what does not fit is not sent, and says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

from bot.errors import RegistryRateLimited
from bot.model.manifest import Head, Index
from bot.registry import RegistryClient
from tests.integration.registry.asking import Ticks, client, reference
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest
from tests.integration.registry.images import image

IMAGE = image()


@dataclass
class Metered:
    """A registry with a limit on requests, which it refuses to exceed.

    Attributes:
        left: What is left.
        counts: Methods that cost one each.
        limit: Of how much.
        window: Seconds after which it is whole again, by `clock`.
        refused: How often it had to refuse.
    """

    left: int
    counts: frozenset[str]
    clock: Ticks
    limit: int = 20
    window: int = 21600
    refused: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    _since: float = 1000.0

    def __call__(self, asked: Asked) -> Reply:
        if self.clock.monotonic() - self._since >= self.window:
            self.left, self._since = self.limit, self.clock.monotonic()
        self.sent[asked.method] += 1
        if asked.method in self.counts:
            if not self.left:
                self.refused += 1
                return Reply(429)
            self.left -= 1
        reset = str(int(self._since + self.window - self.clock.monotonic()))
        found = manifest(IMAGE.index)
        more = {
            "RateLimit-Limit": f"{self.limit};w={self.window}",
            "RateLimit-Remaining": f"{self.left};w={self.window}",
            "RateLimit-Reset": reset,
        }
        return Reply(headers={**found.headers, **more}, body=found.body)


async def _all(questions: Iterable[Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*questions, return_exceptions=True)


def _sentences(results: Iterable[object], address: str) -> set[str]:
    return {one.message.replace(address, "it") for one in results if isinstance(one, RegistryRateLimited)}


def heads(registry: RegistryClient, address: str, count: int) -> list[Awaitable[Head]]:
    return [registry.head(reference(address, f"app{number}:1")) for number in range(count)]


def test_where_heads_are_free_every_image_is_looked_at_and_as_many_are_read_as_fit() -> None:
    clock = Ticks()
    metered = Metered(7, frozenset({"GET"}), clock)

    async def work() -> tuple[list[object], list[object], str]:
        async with FaultyRegistry({"*": metered}) as server:
            registry = client(server.address, clock=clock)
            looked = await _all(heads(registry, server.address, 30))
            pinned = [
                reference(server.address, f"app{number}:1").with_digest(IMAGE.index.digest)
                for number in range(30)
            ]
            return looked, await _all(map(registry.content, pinned)), server.address

    looked, read, address = asyncio.run(work())
    assert {type(one) for one in looked} == {Head}
    assert Counter(type(one) for one in read) == {Index: 5, RegistryRateLimited: 25}
    assert (metered.sent, metered.refused) == ({"HEAD": 30, "GET": 5}, 0)
    assert _sentences(read, address) == {
        "it has 2/20 requests left, for another 6 h: kept for pulls, so this one was not sent"
    }


def test_where_heads_are_counted_no_more_are_sent_than_fit() -> None:
    clock = Ticks()
    metered = Metered(9, frozenset({"HEAD", "GET"}), clock)

    async def work() -> list[object]:
        async with FaultyRegistry({"*": metered}) as server:
            return await _all(heads(client(server.address, clock=clock), server.address, 30))

    looked = asyncio.run(work())
    assert Counter(type(one) for one in looked) == {Head: 7, RegistryRateLimited: 23}
    assert (metered.sent, metered.refused, metered.left) == ({"HEAD": 7}, 0, 2)


def test_a_limit_that_is_whole_again_within_a_minute_is_waited_for() -> None:
    clock = Ticks()
    metered = Metered(5, frozenset({"HEAD", "GET"}), clock, window=30)

    async def work() -> list[object]:
        async with FaultyRegistry({"*": metered}) as server:
            return await _all(heads(client(server.address, clock=clock), server.address, 30))

    assert {type(one) for one in asyncio.run(work())} == {Head}
    assert (metered.sent, metered.refused) == ({"HEAD": 30}, 0)
    assert clock.slept


def test_what_is_left_is_shown_as_it_was_said_last() -> None:
    clock = Ticks()

    async def work() -> tuple[dict[str, str], str]:
        async with FaultyRegistry({"*": Metered(9, frozenset({"HEAD"}), clock)}) as server:
            registry = client(server.address, clock=clock)
            await _all(heads(registry, server.address, 3))
            return dict(registry.quota()), server.address

    quota, address = asyncio.run(work())
    assert quota == {address: "6/20"}


def test_a_rate_is_kept_however_fast_the_registry_answers() -> None:
    clock, arrivals = Ticks(), list[float]()

    def answer(_: Asked) -> Reply:
        arrivals.append(clock.monotonic())
        return manifest(IMAGE.index)

    async def work() -> None:
        async with FaultyRegistry({"*": answer}) as server:
            registry = client(server.address, clock=clock, concurrency=2, rate=10.0)
            await asyncio.gather(*heads(registry, server.address, 25))

    asyncio.run(work())
    within = [sum(start <= one < start + 1 for one in arrivals) for start in arrivals]
    assert max(within) <= 10 + 2, "ten in a second, and as many at once as may be in flight"
    assert clock.monotonic() - 1000.0 < 3
