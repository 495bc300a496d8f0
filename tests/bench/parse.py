"""How fast Dockerfiles are read: against dockerfile-parse 2.0.1, and 10,000 files at once.

python -m tests.bench.parse
"""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterable

from dockerfile_parse import DockerfileParser

from bot.dockerfile.uses import read
from tests.unit.dockerfile.corpus import load

ROUNDS = 5
FILES = 10_000


def ours(files: Iterable[bytes]) -> int:
    return sum(len(read("Dockerfile", data)) for data in files)


def theirs(files: Iterable[bytes]) -> int:
    """What dockerfile-parse offers nearest to it: every instruction, and the images of FROM."""
    count = 0
    for data in files:
        parser = DockerfileParser(fileobj=io.BytesIO(data))
        count += len(parser.structure) + len(parser.parent_images)
    return count


def best(work: Callable[[Iterable[bytes]], int], files: list[bytes]) -> float:
    """Seconds of the fastest round."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work(files)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    stacks = [case.data for case in load("stacks")]
    size = sum(map(len, stacks))
    mine, other = best(ours, stacks), best(theirs, stacks)
    many = [stacks[number % len(stacks)] for number in range(FILES)]
    start = time.perf_counter()
    uses = ours(many)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    ours(many)
    peak = tracemalloc.get_traced_memory()[1]
    print(
        json.dumps(
            {
                "files": len(stacks),
                "refit_mb_per_s": round(size / mine / 1e6, 2),
                "dockerfile_parse_mb_per_s": round(size / other / 1e6, 2),
                "ratio": round(other / mine, 1),
                "discover_files": FILES,
                "discover_uses": uses,
                "discover_seconds": round(seconds, 2),
                "discover_peak_mb": round(peak / 1e6, 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
