"""What checking images costs where a registry wants TLS and tokens: against the bare client, and skopeo.

A loopback registry adds 40 ms to every request, token requests included; 10 are in flight. The server runs
in a process of its own. `skopeo inspect --no-tags` is asked for fewer images, and compared by seconds an
image.

python -m tests.bench.registry_peers
"""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx

from bot.clock import SystemClock
from bot.model.reference import Reference
from bot.registry import HostSettings, RegistryClient, RegistrySettings
from bot.registry.protocol import ACCEPT
from tests.bench.served import served

IMAGES, PEER_IMAGES, IN_FLIGHT, DELAY = 1_000, 100, 10, 0.040
ROUNDS = 3


def main() -> None:
    """Print one JSON line with each ratio and its goal."""
    with tempfile.TemporaryDirectory() as name, served(Path(name), DELAY) as (address, ca_file):
        times = [(_bare(address, ca_file), _refit(address, ca_file)) for _ in range(ROUNDS)]
        bare, ours = min(one for one, _ in times), min(seconds for _, (seconds, _) in times)
        requests = max(count for _, (_, count) in times)
        line = {
            "bench": "registry with TLS and tokens",
            "images": IMAGES,
            "requests per unchanged image, tokens included": round(requests / IMAGES, 3),
            "limit of requests": 1.05,
            "seconds": round(ours, 2),
            "seconds of the bare client": round(bare, 2),
            "ratio of time": round(ours / bare, 3),
            "limit of time": 1.25,
        }
        print(json.dumps(line | _against_skopeo(address, ours / IMAGES)))
    assert requests / IMAGES <= 1.05, line
    assert ours / bare <= 1.25, line


def _names(address: str, count: int) -> list[Reference]:
    return [Reference.parse(f"{address}/team/app{number}:1") for number in range(count)]


def _refit(address: str, ca_file: Path) -> tuple[float, int]:
    """Seconds for all images, and the requests that they took."""
    settings = RegistrySettings({address: HostSettings(ca_file=ca_file, concurrency=IN_FLIGHT)})
    registry = RegistryClient(settings, cache=None, clock=SystemClock())

    async def work() -> None:
        await asyncio.gather(*map(registry.head, _names(address, IMAGES)))

    return _seconds(work), sum(registry.requests().values())


def _bare(address: str, ca_file: Path) -> float:
    """Seconds of the HTTP client alone, ten workers on one list, their tokens at hand."""

    async def work() -> None:
        left = iter(_names(address, IMAGES))
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(ca_file))) as client:
            await asyncio.gather(*(_worker(client, left) for _ in range(IN_FLIGHT)))

    return _seconds(work)


async def _worker(client: httpx.AsyncClient, left: Iterator[Reference]) -> None:
    for name in left:
        url = f"https://{name.registry}/v2/{name.repository}/manifests/{name.tag}"
        token = f"0-repository:{name.repository}:pull"
        answer = await client.head(url, headers={"Accept": ACCEPT, "Authorization": f"Bearer {token}"})
        assert answer.headers["Docker-Content-Digest"]


def _seconds(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    start = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - start


def _against_skopeo(address: str, ours: float) -> dict[str, float | str]:
    """How many times faster one image is than by skopeo, ten at a time."""
    if shutil.which("skopeo") is None:
        return {"skopeo": "not installed: apt-get install skopeo"}

    def inspect(name: Reference) -> None:
        command = ["skopeo", "inspect", "--tls-verify=false", "--no-tags", f"docker://{name}"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    start = time.perf_counter()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(inspect, _names(address, PEER_IMAGES)))
    theirs = (time.perf_counter() - start) / PEER_IMAGES
    return {
        "ms per image": round(ours * 1000, 1),
        "ms per image by skopeo": round(theirs * 1000, 1),
        "times faster than skopeo": round(theirs / ours, 1),
        "goal of times faster": 5.0,
    }


if __name__ == "__main__":
    main()
