"""The lab as its users see it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from filelock import FileLock

from bot.errors import ProcessFailed
from deploy.lab import archive, packages, sample
from deploy.lab.bases import Bases, recipe_hash
from deploy.lab.contents import DEBIAN, Contents
from deploy.lab.engine import Engine
from deploy.lab.errors import LabError
from deploy.lab.images import Image, layer_of
from deploy.lab.registry import Registry, Server
from deploy.lab.users import Users

_START_SECONDS: Final = 600.0
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up.

    Args:
        folder: Everything it owns on disk.
        docker_host: The engine's DOCKER_HOST; empty without an engine. It pulls docker.io from `registry`.
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

    @classmethod
    def start(cls, folder: Path, *, engine: bool = True, say: Callable[[str], None] = print) -> Lab:
        """Start what does not run, make what is lacking, and let every tag name its stale image.

        A lab that is up in this folder is joined; while others use it, its tags stay as they are.

        Args:
            folder: Made when it is not there; what it holds is reused as long as the archive is the same.
            engine: Whether a private container engine is wanted; needs root.
            say: Takes one line of progress.

        Raises:
            LabError: A part cannot be had or started here; it says what to install.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        tell = _clocked(say)
        with FileLock(folder / "lock", timeout=_START_SECONDS):
            try:
                lab = cls._start(folder, engine=engine, say=tell)
            except BaseException:
                _stop(folder, Users(folder / "users"))
                raise
        tell(f"lab is up: registry {lab.registry}, engine {lab.docker_host or 'none'}")
        return lab

    @classmethod
    def _start(cls, folder: Path, *, engine: bool, say: Callable[[str], None]) -> Lab:
        packages.ensure(engine=engine, say=say)
        registry = Server(folder).start()
        private = Engine(folder, registry.address) if engine else None
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(private.start) if private else None
            contents = _contents(folder, registry, private, say)
            contents.bases.make()
            if started:
                started.result()
        digests = contents.digests() or contents.make()
        host = private.host if private else ""
        lab = cls(folder, host, registry.address, contents.trivy_cache, digests["stale"], digests["fresh"])
        lab._join()
        return lab

    def _join(self) -> None:
        users = Users(self.folder / "users")
        if not users.others():
            self.reset()
        users.enter()

    def reset(self) -> None:
        """Let every tag name its stale image again."""
        self._point(self.stale)

    def freshen(self) -> None:
        """Let every tag name its fresh image."""
        self._point(self.fresh)

    def _point(self, digests: Mapping[str, str]) -> None:
        for name, digest in digests.items():
            repository, _, tag = name.rpartition(":")
            self.move(repository, tag, digest)
        self.move(DEBIAN, "12-slim", digests[f"{DEBIAN}:bookworm-slim"])

    def move(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name another manifest of its repository; the old one stays pullable by digest.

        Raises:
            LabError: The repository has no such digest.
        """
        self._registry.move(repository, tag, digest)

    def digest(self, repository: str, reference: str) -> str | None:
        """What a tag or digest names in the registry now; None where there is nothing."""
        return self._registry.digest(repository, reference)

    def copy(self, name: str, digest: str, repository: str, tag: str) -> None:
        """Copy an image of repository `name` to a repository of one's own, where tests may move tags freely."""
        self._registry.copy(name, digest, repository, tag)

    def push_image(  # noqa: PLR0913 - one small image, all by keyword
        self,
        repository: str,
        tag: str,
        *,
        layers: Sequence[Mapping[str, bytes]] = ({"made-up": b""},),
        config: Mapping[str, object] | None = None,
        created: datetime = _EPOCH,
        architectures: Sequence[str] = ("amd64",),
    ) -> str:
        """Push a small image of regular files.

        Args:
            repository: For example `team/app`.
            tag: The tag that is to name it.
            layers: From the base up, each path → content.
            config: The image config's `config` object: Env, Cmd, Labels, ….
            created: When it says it was made.
            architectures: Platforms of its index, as in GOARCH; all have the same files.

        Returns:
            The digest of its index.
        """
        made = [layer_of(files) for files in layers]
        images = [Image(made, created, dict(config or {}), (), name) for name in architectures]
        return self._registry.push(repository, tag, *images)

    def sample(self, destination: Path, *, registry_names: bool = False) -> Path:
        """Copy `deploy/sample` as a git repository of one commit, pinned to the lab's stale digests.

        Args:
            destination: A folder that does not exist yet, or is empty.
            registry_names: Name the loopback registry instead of docker.io, for an engine without the mirror.
        """
        return sample.copy(destination, self.stale, registry=self.registry if registry_names else "")

    def stop(self) -> None:
        """Leave the lab; with its last user it ends. Images and cache stay for the next start."""
        users = Users(self.folder / "users")
        with FileLock(self.folder / "lock", timeout=_START_SECONDS):
            users.leave()
            _stop(self.folder, users)

    def keep(self) -> None:
        """Let it stay up after its last user, until `down`."""
        Users(self.folder / "users").keep(up=True)

    @staticmethod
    def down(folder: Path) -> None:
        """End whatever runs in this folder, even while somebody uses it."""
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=_START_SECONDS):
            Users(folder / "users").keep(up=False)
            _end(folder)

    @property
    def _registry(self) -> Registry:
        return Registry(self.registry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _contents(
    folder: Path, registry: Registry, engine: Engine | None, say: Callable[[str], None]
) -> Contents:
    """The contents for the archive's present state; another state's cache is dropped."""
    cache = folder / "cache"
    state = _state(cache)
    key = hashlib.sha256((state.fingerprint + recipe_hash()).encode()).hexdigest()[:16]
    for old in cache.glob("*"):
        if old.name != key:
            shutil.rmtree(old)
    return Contents(Bases(cache / key, state), registry, engine, say)


def _state(cache: Path) -> archive.Archive:
    """The archive's state; its lists are fetched anew (as root) when nothing is cached or they are not there."""
    if os.geteuid() == 0 and not any(cache.glob("*/digests*.json")):
        try:
            packages.refresh()
        except ProcessFailed as error:
            raise LabError(f"The package archive cannot be reached: {error}.", hint="Check apt-get update.") from error
    return archive.read()


def _stop(folder: Path, users: Users) -> None:
    if not users.others() and not users.kept:
        _end(folder)


def _end(folder: Path) -> None:
    Engine(folder, "").stop()
    Server(folder).stop()


def _clocked(say: Callable[[str], None]) -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: say(f"lab {time.monotonic() - began:5.1f} s  {line}")


