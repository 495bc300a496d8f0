"""How fast Dockerfiles are read, against dockerfile-parse 2.0.1 in the same run.

python -m tests.bench.parse

The peer is given the calls that its users need for the nearest answer: `structure` (instructions and their
lines) and `parent_images` (the images of FROM, arguments put in); the first alone resolves nothing.
Seconds are of the processor, and the best of some rounds, so that neighbours on the machine count little.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence

from dockerfile_parse import DockerfileParser

from bot.dockerfile.uses import read
from tests.unit.dockerfile.corpus import load

ROUNDS = 7
# One stage to a few lines each, almost every line an image; and files as long as those of real projects.
CORPORA = {"short": ("stacks",), "long": ("long",), "all": ("stacks", "long")}

Work = Callable[[bytes], int]


def ours(data: bytes) -> int:
    return len(read("Dockerfile", data))


def structure(data: bytes) -> int:
    return len(DockerfileParser(fileobj=io.BytesIO(data)).structure)


def structure_and_images(data: bytes) -> int:
    parser = DockerfileParser(fileobj=io.BytesIO(data))
    return len(parser.structure) + len(parser.parent_images)


def seconds(work: Work, files: Sequence[bytes]) -> float:
    """Processor time of one round."""
    start = time.process_time()
    for data in files:
        work(data)
    return time.process_time() - start


def rates(files: Sequence[bytes]) -> dict[str, float]:
    """Rounds take turns, so that all of them see the same machine."""
    best: dict[Work, float] = {}
    for _ in range(ROUNDS):
        for work in (ours, structure, structure_and_images):
            best[work] = min(best.get(work, float("inf")), seconds(work, files))
    return {
        "files": len(files),
        "bytes_per_file": round(sum(map(len, files)) / len(files)),
        "refit_mb_per_s": round(sum(map(len, files)) / best[ours] / 1e6, 1),
        "ratio_to_structure_and_parent_images": round(best[structure_and_images] / best[ours], 1),
        "ratio_to_structure_alone": round(best[structure] / best[ours], 1),
    }


def main() -> None:
    corpora = {name: rates([case.data for case in load(*names)] * 5) for name, names in CORPORA.items()}
    print(json.dumps({"parse": corpora}, indent=2))


if __name__ == "__main__":
    main()
