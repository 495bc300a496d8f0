"""What looking up images costs: `refit check` against Renovate's lookup of the same Dockerfiles.

A loopback registry with TLS and tokens adds 40 ms to every request. Every image is pinned and did not move.
Refit's seconds are those of the whole process, Renovate's those of its lookup alone, as its log says.

python -m tests.bench.registry_renovate
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from bot.process import environment, run
from tests.bench.served import served
from tests.integration.registry.doorman import IMAGE

IMAGES, DELAY, GOAL = 1_000, 0.040, 5.0
ROOT: Final = Path(__file__).parents[2]
_INSTALLED: Final = ROOT / ".lab" / "renovate" / "node_modules" / ".bin"
_SETTINGS: Final = ["--platform=local", "--dry-run=lookup", "--onboarding=false", "--require-config=ignored"]


def main() -> None:
    """Print one JSON line with the ratio and its goal."""
    line: dict[str, object] = {"bench": "registry against Renovate", "Dockerfiles": IMAGES}
    if (renovate := _renovate()) is None:
        how = "npm install --prefix .lab/renovate node@24 renovate"
        print(json.dumps(line | {"renovate": f"not installed: {how}"}))
        return
    with tempfile.TemporaryDirectory() as name, served(Path(name), DELAY) as (address, ca_file):
        folder = Path(name)
        _write(folder / "project", address)
        ours, requests = _refit(folder, address, ca_file)
        theirs, whole = _theirs(folder, renovate, ca_file)
    line |= {
        "seconds of refit check, the whole process": round(ours, 1),
        "requests per image": round(requests / IMAGES, 2),
        "seconds of Renovate's lookup": round(theirs, 1),
        "seconds of Renovate, the whole process": round(whole, 1),
        "times faster than Renovate's lookup": round(theirs / ours, 1),
        "goal of times faster": GOAL,
    }
    print(json.dumps(line))
    assert theirs / ours >= GOAL, line


def _renovate() -> str | None:
    path = f"{_INSTALLED}{os.pathsep}{os.environ['PATH']}"
    return shutil.which("renovate", path=path)


def _write(folder: Path, address: str) -> None:
    for number in range(IMAGES):
        place = folder / f"app{number}"
        place.mkdir(parents=True)
        (place / "Dockerfile").write_text(f"FROM {address}/team/app{number}:1@{IMAGE.index.digest}\n")


def _refit(folder: Path, address: str, ca_file: Path) -> tuple[float, int]:
    """Seconds and requests of `refit check`, with ten requests in flight."""
    config = folder / "refit.yaml"
    config.write_text(f"registries: [{{host: '{address}', ca_file: '{ca_file}', concurrency: 10}}]\n")
    state = str(folder / "state")
    env = environment(PYTHONPATH=str(ROOT), REFIT_STATE_DIR=state, HOME=str(folder))
    words = ["check", "--config", str(config), "--format", "json", "--quiet", str(folder / "project")]
    finished = run([sys.executable, "-m", "bot.cli", *words], timeout=600, env=env, limit=64 * 1024**2)
    document = json.loads(finished.text)
    assert {use["outcome"] for use in document["uses"]} == {"current"}, finished.text[:500]
    return finished.seconds, sum(document["requests"].values())


def _theirs(folder: Path, renovate: str, ca_file: Path) -> tuple[float, float]:
    """Seconds of Renovate's lookup, and of its whole process."""
    project = folder / "project"
    run(["git", "init", "-q", str(project)], timeout=60)
    run(["git", "-C", str(project), "add", "."], timeout=60)
    env = dict(os.environ) | {
        "PATH": f"{Path(renovate).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "NODE_EXTRA_CA_CERTS": str(ca_file),
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    command = [renovate, *_SETTINGS]
    # It ends with 1 where its log has an error, as about the version of Node: what counts is in the log.
    finished = run(command, timeout=1800, env=env, cwd=project, limit=512 * 1024**2, check=False)
    timings = [json.loads(line) for line in finished.text.splitlines() if '"splits"' in line]
    found = sum("Got docker digest" in line for line in finished.text.splitlines())
    assert found >= IMAGES, finished.text[-2000:]
    return timings[-1]["splits"]["lookup"] / 1000, finished.seconds


if __name__ == "__main__":
    main()
