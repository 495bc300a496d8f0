"""The container engine: builds, measures, starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.model.evidence import Build, Health
from bot.model.manifest import Platform
from bot.model.target import HealthPlan


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build.

    Attributes:
        context: Folder of the build context, exported from the commit.
        dockerfile: Path of the Dockerfile file itself (outside or inside the context).
        name: Unique name for this side, used for the image's tag and cache-mount namespace.
        args: Build arguments, in order.
        stage: Target stage, or None.
        platform: What to build for.
        fresh_stages: Stages that must run without layer cache (those on the moved base); empty means all.
        seconds: Time limit.
        base_layers: Layers of the base image: diff id, and the bytes a registry stores, where known.
        scratch: Folder for temporary files; None for the system's.
        secrets: What the build may mount as a secret, by id; only what the operator's configuration names.
        cache_from: Images whose layer cache may serve stages that are not fresh.
    """

    context: Path
    dockerfile: Path
    name: str
    args: tuple[tuple[str, str], ...] = ()
    stage: str | None = None
    platform: Platform | None = None
    fresh_stages: tuple[str, ...] = ()
    seconds: float = 1800.0
    base_layers: tuple[tuple[str, int | None], ...] = ()
    scratch: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    cache_from: tuple[str, ...] = ()


class Builder(Protocol):
    """A container engine: builds, measures, starts. Blocking; raises `EngineError`s."""

    def available(self) -> str:
        """Name and version of the engine; raises `EngineMissing` where there is none."""
        ...

    def build(self, request: BuildRequest) -> Build:
        """Build an image and measure it; raises `BuildFailed` with the failing step's last lines."""
        ...

    def measure(self, image: str) -> Build:
        """Measure an image that the engine has, by name or id; raises `EngineError` where it has none."""
        ...

    def save(self, image: str, file: Path) -> None:
        """Write an image that the engine has into a file, as `docker save` does; raises `EngineError`."""
        ...

    def health(self, image: str, plan: HealthPlan, *, name: str) -> Health:
        """Start an image on a closed network and probe it until it is healthy or time is up."""
        ...

    def remove(self, prefix: str) -> None:
        """Remove every image, container and network whose name starts with `prefix`."""
        ...

    def close(self) -> None:
        """Give back what was pulled to be started beside others; raises `EngineError`."""
        ...
