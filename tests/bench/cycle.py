"""The cycle's own overhead: wall time of `refit run` over the sum of the bare commands it runs.

The bare commands, one after the other: Trivy on both bases and both images (secrets of the new one too),
its SBOM and SARIF of what is kept, `docker build` of both sides without cache, `docker save` of both to
count their layers, `docker run` of both until the health check's command succeeds. Refit goes first, so it
pays for what the engine does once. The builds install a package from Debian's archive, whose answers vary
from one second to the next: hence several rounds, and their median.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot import process
from deploy.lab import Lab
from tests.e2e.world import ROOT, World

GOAL: Final = 1.05
ROUNDS: Final = 5
_DOCKERFILE: Final = """\
FROM {base}
RUN apt-get update && apt-get install -y --no-install-recommends curl
HEALTHCHECK CMD ["/usr/bin/curl", "--version"]
CMD ["sleep", "600"]
"""


def main() -> None:
    """Measure some rounds and print the median one, with the range of all."""
    folder = Path(os.environ.get("REFIT_LAB_DIR", ROOT / ".lab"))
    with Lab.start(folder, say=lambda _: None) as lab:
        rounds = sorted((_round(lab) for _ in range(ROUNDS)), key=_ratio)
    wall, bare = rounds[ROUNDS // 2]
    print(
        f"cycle overhead: refit run {wall:.1f} s / bare commands {bare:.1f} s = {wall / bare:.2f}"
        f" (goal ≤ {GOAL:.2f}; {ROUNDS} rounds, {_ratio(rounds[0]):.2f} to {_ratio(rounds[-1]):.2f})"
    )


def _ratio(measured: tuple[float, float]) -> float:
    wall, bare = measured
    return wall / bare


def _round(lab: Lab) -> tuple[float, float]:
    """Seconds of one cycle, and of the bare commands that it runs."""
    with tempfile.TemporaryDirectory() as scratch:
        world = World(lab, Path(scratch))
        base = world.base()
        world.project({"Dockerfile": _DOCKERFILE.format(base=base.pinned)})
        base.move()
        begun = time.monotonic()
        ended = world.run()
        wall = time.monotonic() - begun
        if ended.code != 0:
            raise SystemExit(ended.err)
        sides = {"before": base.pinned, "after": f"{base.name}@{base.fresh}"}
        return wall, sum(seconds for side, image in sides.items() for seconds in _bare(world, side, image))


def _bare(world: World, side: str, image: str) -> Sequence[float]:
    """Seconds of each bare command of one side."""
    context = world.folder / f"bare-{side}"
    context.mkdir()
    (context / "Dockerfile").write_text(_DOCKERFILE.format(base=image), encoding="utf-8")
    tag = f"refit-bench-{os.getpid()}-{side}"
    try:
        return (
            _trivy(world, side, "remote", image, kept=side == "after"),
            _docker(world, "build", "--no-cache", "--quiet", "--tag", tag, str(context)),
            _docker(world, "save", "--output", "/dev/null", tag),
            _trivy(world, side, "docker", tag, kept=True, secrets=side == "after"),
            _healthy(world, tag),
        )
    finally:
        _docker(world, "rm", "--force", tag)
        _docker(world, "rmi", "--force", tag)


def _healthy(world: World, tag: str) -> float:
    seconds = _docker(world, "run", "--detach", "--network", "none", "--name", tag, tag)
    return seconds + _docker(world, "exec", tag, "/usr/bin/curl", "--version")


def _docker(world: World, *words: str) -> float:
    env = process.environment(DOCKER_HOST=world.lab.docker_host, DOCKER_BUILDKIT="1", HOME="/nonexistent")
    return process.run(["/usr/bin/docker", *words], timeout=300, env=env, check=False).seconds


def _trivy(world: World, side: str, source: str, image: str, *, kept: bool, secrets: bool = False) -> float:
    """One scan with a cache of its own, as cold as Refit's, and the documents made of its report."""
    cache = world.folder / f"cache-{side}"
    cache.mkdir(exist_ok=True)
    if not (cache / "db").exists():
        (cache / "db").symlink_to(world.lab.trivy_cache / "db")
    report = world.folder / f"report-{side}.json"
    scanners = ["--scanners", "vuln,secret", "--image-config-scanners", "misconfig,secret"]
    flags = ["--skip-db-update", "--offline-scan", "--list-all-pkgs", "--quiet"]
    flags += scanners if secrets else ["--scanners", "vuln"]
    where = ["--image-src", source, "--insecure", "--format", "json", "--output", str(report)]
    seconds = _trivy_call(world, "image", "--cache-dir", str(cache), *flags, *where, image)
    for form in ("cyclonedx", "sarif") if kept else ():
        made = ["--format", form, "--output", "/dev/null", str(report)]
        seconds += _trivy_call(world, "convert", "--quiet", *made)
    return seconds


def _trivy_call(world: World, *words: str) -> float:
    env = process.environment(DOCKER_HOST=world.lab.docker_host, HOME=str(world.folder))
    return process.run([Path(sys.executable).parent / "trivy", *words], timeout=300, env=env).seconds


if __name__ == "__main__":
    main()
