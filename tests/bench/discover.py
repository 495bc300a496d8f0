"""`refit discover` on 1,000 and 10,000 Dockerfiles, as the real process: seconds and memory.

python -m tests.bench.discover

Its time is set against that of dockerfile-parse 2.0.1 over the same files, printing nothing, and the memory
for 10,000 files against that for 1,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.unit.dockerfile.corpus import load

FEW, MANY = 1_000, 10_000
PEER = """
import sys
from pathlib import Path
from dockerfile_parse import DockerfileParser
for path in Path(sys.argv[1]).rglob("Dockerfile"):
    parser = DockerfileParser(str(path))
    parser.structure, parser.parent_images
"""


def files(folder: Path, count: int) -> Path:
    """So many Dockerfiles, each in a folder of its own."""
    corpus = [case.data for case in load("stacks", "long")]
    for number in range(count):
        place = folder / f"team{number % 40}" / f"service{number}"
        place.mkdir(parents=True)
        (place / "Dockerfile").write_bytes(corpus[number % len(corpus)])
    return folder


def used(*command: str) -> tuple[float, float, float]:
    """Seconds, processor seconds and the most megabytes of a process."""
    start = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen([sys.executable, *command], stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        few, many = files(Path(folder, "few"), FEW), files(Path(folder, "many"), MANY)
        command = ("-m", "bot.cli", "discover", "--format", "json")
        small = used(*command, str(few))
        large = used(*command, str(many))
        peer = used("-c", PEER, str(many))
    figures = {
        "files": MANY,
        "seconds": round(large[0], 1),
        "processor_seconds": round(large[1], 1),
        "processor_seconds_over_those_of_dockerfile_parse": round(large[1] / peer[1], 2),
        "mb": round(large[2]),
        "mb_over_those_for_1000_files": round(large[2] / small[2], 2),
    }
    print(json.dumps({"discover": figures}, indent=2))


if __name__ == "__main__":
    main()
