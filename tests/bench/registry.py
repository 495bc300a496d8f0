"""What checking images costs: requests and time, against the bare HTTP client sending the same HEADs.

A loopback registry adds 40 ms to every request; 1,000 unchanged images, 10 in flight. The server runs in a
process of its own, so that neither client shares its processor time with it. Memory is that of a process that
asks about 100,000 references: its greatest size, less that before them.

python -m tests.bench.registry
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import httpx2 as httpx

from bot.clock import SystemClock
from bot.cycle.together import together
from bot.model.reference import Reference
from bot.registry import HostSettings, RegistryClient, RegistrySettings
from bot.registry.protocol import ACCEPT
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest
from tests.integration.registry.images import image

IMAGES, IN_FLIGHT, DELAY = 1_000, 10, 0.040
ROUNDS = 3
REFERENCES = 100_000


def main() -> None:
    """Print one JSON line with each ratio and its limit."""
    with _server() as address:
        times = [(_bare(address), _refit(address)) for _ in range(ROUNDS)]
        bare, ours = min(one for one, _ in times), min(seconds for _, (seconds, _) in times)
        requests = max(count for _, (_, count) in times)
    megabytes, seconds = _memory()
    line = {
        "bench": "registry",
        "images": IMAGES,
        "requests per unchanged image": round(requests / IMAGES, 3),
        "limit of requests": 1.05,
        "seconds": round(ours, 2),
        "seconds of the bare client": round(bare, 2),
        "ratio of time": round(ours / bare, 3),
        "limit of time": 1.25,
        "MB for 100,000 references": round(megabytes, 1),
        "limit of MB": 200,
        "seconds for 100,000 references": round(seconds),
    }
    print(json.dumps(line))
    assert requests / IMAGES <= 1.05, line
    assert ours / bare <= 1.25, line
    assert megabytes <= 200, line


def _names(address: str) -> list[Reference]:
    return [Reference.parse(f"{address}/team/app{number}:1") for number in range(IMAGES)]


def _refit(address: str) -> tuple[float, int]:
    """Seconds for all images, and the requests that they took."""
    registry = RegistryClient(
        RegistrySettings({address: HostSettings(concurrency=IN_FLIGHT)}), cache=None, clock=SystemClock()
    )

    async def work() -> None:
        await asyncio.gather(*map(registry.head, _names(address)))

    return _seconds(work), sum(registry.requests().values())


def _bare(address: str) -> float:
    """Seconds of the HTTP client alone, ten workers on one list."""

    async def work() -> None:
        left = iter(_names(address))
        async with httpx.AsyncClient() as client:
            await asyncio.gather(*(_worker(client, left) for _ in range(IN_FLIGHT)))

    return _seconds(work)


async def _worker(client: httpx.AsyncClient, left: Iterator[Reference]) -> None:
    for name in left:
        url = f"http://{name.registry}/v2/{name.repository}/manifests/{name.tag}"
        answer = await client.head(url, headers={"Accept": ACCEPT})
        assert answer.headers["Docker-Content-Digest"]


def _seconds(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    start = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - start


def _memory() -> tuple[float, float]:
    """Megabytes that a process grows by while it asks about 100,000 references, and the seconds it takes.

    It asks as the cycle does; the server answers at once.
    """
    ours, theirs = multiprocessing.Pipe()
    with _server(delay=0.0) as address:
        process = multiprocessing.get_context("spawn").Process(target=_ask_many, args=(theirs, address))
        process.start()
        megabytes, seconds = ours.recv()
        process.join(10)
    return megabytes, seconds


def _ask_many(pipe: Connection, address: str) -> None:
    registry = RegistryClient(RegistrySettings(), cache=None, clock=SystemClock())

    def ask(start: int, end: int) -> float:
        names = [Reference.parse(f"{address}/team/app{number}:1") for number in range(start, end)]
        return _seconds(lambda: _heads(registry, names))

    ask(0, 1_000)
    before = _resident()
    seconds = ask(1_000, 1_000 + REFERENCES)
    pipe.send((_resident() - before, seconds))


async def _heads(registry: RegistryClient, names: Sequence[Reference]) -> None:
    await together(registry.head, names)


def _resident() -> float:
    """The most megabytes that this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


@contextlib.contextmanager
def _server(delay: float = DELAY) -> Iterator[str]:
    """A registry in a process of its own that has every image; gives its address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, delay), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection, delay: float) -> None:
    usual = manifest(image().index)

    def every(_: Asked) -> Reply:
        return Reply(headers=usual.headers, pause=delay)

    async def work() -> None:
        async with FaultyRegistry({"*": every}) as server:
            pipe.send(server.address)
            await asyncio.get_running_loop().create_future()

    asyncio.run(work())


if __name__ == "__main__":
    main()
