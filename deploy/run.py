"""`make run`: set up what is missing, then run the monthly cycle on the sample.

Where the real registries answer, the sample is checked against them. Where they do not (a closed
network), the lab's loopback registry serves stale and fresh images that it makes itself, and the
sample is pinned to those. A reachable container engine is used; else, as root, a private one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2 as httpx

from bot import cli, process
from bot.builder import BuilderSettings, DockerBuilder
from bot.errors import EngineError
from deploy.lab import Lab, LabError
from deploy.lab.engine import Engine
from deploy.lab.packages import ensure
from deploy.lab.sample import SOURCE, copy

ROOT: Final = Path(__file__).parents[1]
WORK: Final = ROOT / ".refit"
LAB: Final = Path(os.environ.get("REFIT_LAB_DIR", ROOT / ".lab"))
_REGISTRY: Final = "https://registry-1.docker.io/v2/"
_RAN: Final = (0, 1, 3)
_TARGETS: Final = ("backend", "frontend")
_BUDGETS: Final = {"backend": "200 MB", "frontend": "80 MB"}


@dataclass(frozen=True, slots=True)
class World:
    """What the sample runs against.

    Attributes:
        docker_host: The engine; empty for the machine's default or for none.
        mirror: URL of the loopback registry that answers for docker.io; empty for the real one.
        trivy_cache: Folder of a finished database; None lets Trivy download its own.
        digests: Pins for the sample; empty leaves its real ones.
        registry: Registry to name in the sample instead of docker.io; empty leaves the names.
    """

    docker_host: str = ""
    mirror: str = ""
    trivy_cache: Path | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""


def main(arguments: list[str]) -> int:
    """Set up, run `refit run` with the given arguments, and return its exit code."""
    try:
        with real_world() if registries_answer() else lab_world() as world:
            project = prepare(world)
            code = cli.call(["run", "--config", str(configure(world, project)), *arguments])
            process.go_on()  # after a Ctrl-C too: the lab is to be ended
    except KeyboardInterrupt:  # before the run itself, which ends with a code
        say("interrupted")
        return 130
    except LabError as error:
        say(str(error))
        return error.exit_code
    if code in _RAN and "--dry-run" not in arguments:
        say(f"The pull requests are branches of {shown(project)} and pages in {shown(WORK / 'state')}.")
    return code


def say(text: str) -> None:
    """A line of progress; standard output belongs to the result."""
    print(text, file=sys.stderr, flush=True)


def shown(path: Path) -> str:
    """A path as people type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def registries_answer() -> bool:
    """Tell whether docker.io can be asked from here; its 401 is an answer."""
    try:
        return httpx.get(_REGISTRY, timeout=5).status_code in (200, 401)
    except httpx.HTTPError:
        say(
            "docker.io does not answer from here: the sample is served from a loopback registry, with a stale"
        )
        say("and a fresh Debian made from this machine's package archive, and stand-ins for the rest.")
        return False


def engine_reachable() -> bool:
    """Tell whether an engine that can build is there already."""
    try:
        say(f"engine: {DockerBuilder(BuilderSettings()).available()}")
    except EngineError:
        return False
    return True


@contextmanager
def real_world() -> Iterator[World]:
    """The real registries; a private engine where there is none and root may start it."""
    if engine_reachable() or os.geteuid() != 0:
        yield World()
        return
    ensure(engine=True, say=say)
    LAB.mkdir(parents=True, exist_ok=True)
    engine = Engine(LAB.resolve(), "")
    engine.start()
    try:
        yield World(docker_host=engine.host)
    finally:
        engine.stop()


@contextmanager
def lab_world() -> Iterator[World]:
    """The lab: its registry always, its engine where there is no other and root may start one."""
    reachable = engine_reachable()
    private = not reachable and os.geteuid() == 0
    if not (reachable or private):
        say("No container engine, and only root may start a private one: evidence stays at level base.")
        say("For more: apt-get install docker.io and join the docker group, or run this as root.")
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock") if reachable else ""
    with Lab.start(LAB, engine=private, docker_host=host, say=say) as lab:
        lab.freshen()
        yield World(
            docker_host=lab.docker_host,
            mirror=f"http://{lab.registry}",
            trivy_cache=lab.trivy_cache,
            digests=lab.stale,
            registry="" if private or not reachable else lab.registry,
        )


def prepare(world: World) -> Path:
    """The sample as a git repository of its own, kept until its files or its pins change."""
    project, stamp = WORK / "sample", WORK / "sample.json"
    state = json.dumps([sorted(world.digests.items()), world.registry, fingerprint(SOURCE)])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != state:
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        copy(project, world.digests, registry=world.registry)
        stamp.write_text(state, encoding="utf-8")
    return project


def fingerprint(folder: Path) -> str:
    """Digest of every file below a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def configure(world: World, project: Path, folder: Path = WORK) -> Path:
    """Write the configuration of the run; JSON is YAML, and needs no writer of its own."""
    file = folder / "refit.yaml"
    scanner = {"database_folder": str(world.trivy_cache), "offline": True} if world.trivy_cache else {}
    settings = {
        "state": str(folder / "state"),
        "projects": [
            {
                "name": "sample",
                "forge": "local",
                "path": str(project),
                "targets": list(map(_target, _TARGETS)),
            }
        ],
        "rules": [{"images": ["*"], "allow": "digest", "minimum_age": "3 days"}],
        "registries": [{"host": "docker.io", "mirrors": [world.mirror]}] if world.mirror else [],
        "builder": {"docker_host": world.docker_host} if world.docker_host else {},
        "scanner": scanner,
    }
    file.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    return file


def _target(name: str) -> dict[str, object]:
    return {
        "name": name,
        "dockerfile": f"{name}/Dockerfile",
        "context": name,
        "budget": _BUDGETS[name],
        "health": {"read_only": True},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
