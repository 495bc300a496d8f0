"""The lab as its users see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.lab import sample, starting
from deploy.lab.images import Image, layer_of
from deploy.lab.registry import Registry
from deploy.lab.users import Users

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LAYER: Final[Mapping[str, bytes]] = {"made-up": b""}


@dataclass(frozen=True, slots=True)
class Lab(starting.Parts):
    """A lab that is up; its attributes are those of `Parts`."""

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        engine: bool = True,
        docker_host: str = "",
        say: Callable[[str], None] = print,
    ) -> Self:
        """Start what does not run, make what is lacking, and let every tag name its stale image.

        A lab that is up in this folder is joined; while others use it, its tags stay as they are.

        Args:
            folder: Made when it is not there; what it holds is reused as long as the archive is the same.
            engine: Whether a private container engine is wanted; needs root.
            docker_host: Without a private one, the machine's engine (a DOCKER_HOST): it builds the Rust
                stand-in; empty leaves that one without a toolchain. It does not pull docker.io's names from
                the lab's registry: see `sample`.
            say: Takes one line of progress.

        Raises:
            LabError: A part cannot be had or started here; it says what to install.
        """
        wanted = starting.Wanted(engine=engine, docker_host=docker_host)
        return cls(**asdict(starting.start(folder, wanted, say)))

    def reset(self) -> None:
        """Let every tag name its stale image again."""
        starting.point(self._registry, self.stale)

    def freshen(self) -> None:
        """Let every tag name its fresh image."""
        starting.point(self._registry, self.fresh)

    def move(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name another manifest of its repository; the old one stays pullable by digest.

        Raises:
            LabError: The repository has no such digest.
        """
        self._registry.move(repository, tag, digest)

    def digest(self, repository: str, reference: str) -> str | None:
        """What a tag or digest names in the registry now; None where there is nothing."""
        return self._registry.digest(repository, reference)

    def copy(self, source: str, digest: str, repository: str, tag: str) -> None:
        """Copy an image of repository `source` to a repository of one's own, to move its tags freely.

        Raises:
            LabError: The source has no such digest.
        """
        self._registry.copy(source, digest, repository, tag)

    def push_image(  # noqa: PLR0913 - one small image, all by keyword
        self,
        repository: str,
        tag: str,
        *,
        layers: Sequence[Mapping[str, bytes]] = (_LAYER,),
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
            registry_names: Name the loopback registry, for an engine that does not pull docker.io from it.
        """
        return sample.copy(destination, self.stale, registry=self.registry if registry_names else "")

    def stop(self) -> None:
        """Leave the lab; with its last user it ends. Images and cache stay for the next start."""
        starting.leave(self.folder)

    def keep(self) -> None:
        """Let it stay up after its last user, until `down`."""
        Users(self.folder / "users").keep(up=True)

    @staticmethod
    def down(folder: Path) -> None:
        """End whatever runs in this folder, even while somebody uses it."""
        starting.down(folder)

    @property
    def _registry(self) -> Registry:
        return Registry(self.registry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
