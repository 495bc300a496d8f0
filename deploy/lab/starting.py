"""How a lab comes up and goes down: one at a time in a folder, shared by all who want it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from bot.errors import ProcessFailed
from deploy.lab import archive, packages
from deploy.lab.bases import Bases, recipe_hash
from deploy.lab.contents import DEBIAN, Contents
from deploy.lab.docker import Docker
from deploy.lab.engine import Engine
from deploy.lab.errors import LabError
from deploy.lab.registry import Registry, Server
from deploy.lab.users import Users

_LOCK_SECONDS: Final = 1800.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs and where it is found.

    Args:
        folder: Everything the lab owns on disk.
        docker_host: The engine's DOCKER_HOST; empty without one. A private one has `registry` for docker.io.
        registry: `HOST:PORT` of the loopback registry.
        trivy_cache: For Trivy's `--cache-dir`; has `db/trivy.db` and `db/metadata.json`.
        stale: `library/NAME:TAG` → index digest that the tag names at the start.
        fresh: … and the one it is to move to; equal for the builder images, which have one only.
    """

    folder: Path
    docker_host: str
    registry: str
    trivy_cache: Path
    stale: Mapping[str, str]
    fresh: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which engine is wanted: a private one, else the machine's at `docker_host`, else none."""

    engine: bool
    docker_host: str = ""


def start(folder: Path, wanted: Wanted, say: Say) -> Parts:
    """Start what does not run and make what is lacking; see `Lab.start`."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    tell, users = _clocked(say), Users(folder / "users")
    with FileLock(folder / "lock", timeout=_LOCK_SECONDS):
        try:
            parts = _parts(folder, users, wanted, tell)
        except BaseException:
            _end_if_unused(folder, users)
            raise
        users.enter()
    tell(f"lab is up: registry {parts.registry}, engine {parts.docker_host or 'none'}")
    return parts


def leave(folder: Path) -> None:
    """This process uses the lab no longer; with its last user it ends."""
    users = Users(folder / "users")
    with FileLock(folder / "lock", timeout=_LOCK_SECONDS):
        users.leave()
        _end_if_unused(folder, users)


def down(folder: Path) -> None:
    """End whatever runs in this folder, even while somebody uses it."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock", timeout=_LOCK_SECONDS):
        Users(folder / "users").keep(up=False)
        _end(folder)


def point(registry: Registry, digests: Mapping[str, str]) -> None:
    """Let every tag name its image of one side."""
    for name, digest in digests.items():
        repository, _, tag = name.rpartition(":")
        registry.move(repository, tag, digest)
    registry.move(DEBIAN, "12-slim", digests[f"{DEBIAN}:bookworm-slim"])


def _parts(folder: Path, users: Users, wanted: Wanted, say: Say) -> Parts:
    packages.ensure(engine=wanted.engine, say=say)
    if users.others() and (parts := _running(folder, wanted)):
        return parts
    bases = _bases(folder, users)
    registry = Server(folder).start()
    private = Engine(folder, registry.address) if wanted.engine else None
    host = private.host if private else wanted.docker_host
    contents = Contents(bases, registry, Docker(host) if host else None, say)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(private.start) if private else None
        contents.bases.make()
        if started:
            started.result()
    sides = contents.digests() or contents.make()
    parts = Parts(folder, host, registry.address, contents.trivy_cache, sides["stale"], sides["fresh"])
    if not users.others():
        point(registry, parts.stale)
    _memory(folder).write_text(json.dumps(asdict(parts), default=str, indent=1))
    return parts


def _running(folder: Path, wanted: Wanted) -> Parts | None:
    """The lab as its other users know it: should the archive have changed since, they must not notice."""
    if not _memory(folder).exists():
        return None
    value = json.loads(_memory(folder).read_text())
    parts = Parts(**(value | {key: Path(value[key]) for key in ("folder", "trivy_cache")}))
    private = not wanted.engine or Engine(folder, parts.registry).docker.answers()
    return parts if private and Registry(parts.registry).answers() else None


def _memory(folder: Path) -> Path:
    return folder / "lab.json"


def _bases(folder: Path, users: Users) -> Bases:
    """The bases of the archive's present state; what was made from another is dropped: disks would fill."""
    state = _state(folder / "cache")
    key = hashlib.sha256((state.fingerprint + recipe_hash()).encode()).hexdigest()[:16]
    bases = Bases(folder / "cache" / key, state)
    if not bases.folder.exists() and not users.others():
        _end(folder)
        for name in ("cache", "registry", "engine"):
            shutil.rmtree(folder / name, ignore_errors=True)
    return bases


def _state(cache: Path) -> archive.Archive:
    """The archive's state; root fetches its lists anew when nothing was made from them yet."""
    if os.geteuid() == 0 and not any(cache.glob("*/digests*.json")):
        try:
            packages.refresh()
        except ProcessFailed as error:
            message = f"The package archive cannot be reached: {error}."
            raise LabError(message, hint="Check that apt-get update works here.") from error
    return archive.read()


def _end_if_unused(folder: Path, users: Users) -> None:
    if not users.others() and not users.kept:
        _end(folder)


def _end(folder: Path) -> None:
    Engine(folder, "").stop()
    Server(folder).stop()


def _clocked(say: Say) -> Say:
    began = time.monotonic()
    return lambda line: say(f"lab {time.monotonic() - began:5.1f} s  {line}")
