"""Projects and targets: what is under care."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model.manifest import Platform
from bot.model.narrowing import Narrowing
from bot.model.reference import Reference

LINUX_AMD64 = Platform("linux", "amd64")


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """How a target's container is found healthy.

    Attributes:
        command: Replaces the image's HEALTHCHECK; empty keeps it.
        companions: Images started beside it on the same closed network (`postgres:16`).
        env: Environment of the container.
        seconds: How long it may take to become healthy.
        memory: Limit in bytes.
        read_only: Start with a read-only root file system.
    """

    command: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    seconds: float = 60.0
    memory: int = 512 * 1024**2
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One image that a project builds.

    Attributes:
        project: Name of the project it belongs to.
        name: Its name, unique in the project.
        dockerfile: Path of the Dockerfile in the project.
        context: Path of the build context in the project; `.` is the project itself.
        args: Build arguments, in order.
        stage: Target stage, or None for the last.
        platforms: What the image is built for; never empty.
        health: How it is started and probed.
        budget: Largest allowed unpacked size in bytes, or None.
        image: Where the image is published, or None.
        build: False keeps the target at level base.
        cache_from: Images whose layer cache may serve stages that the base does not touch.
    """

    project: str
    name: str
    dockerfile: str
    context: str = "."
    args: tuple[tuple[str, str], ...] = ()
    stage: str | None = None
    platforms: tuple[Platform, ...] = (LINUX_AMD64,)
    health: HealthPlan = field(default_factory=HealthPlan)
    budget: int | None = None
    image: Reference | None = None
    build: bool = True
    cache_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A git repository under care.

    Attributes:
        name: `owner/name` on a forge, or a short name for a local checkout.
        location: Path of the local checkout, or None where the forge has it.
        base: Branch that pull requests go to; None is the default branch.
        folder: Only files below this folder are read; `.` is all.
        targets: Named in the configuration; empty means one a Dockerfile found.
        exclude: Globs (gitignore syntax) of files left out.
        wishes: What its own file says, once that was read; None where it has none.
    """

    name: str
    location: str | None = None
    base: str | None = None
    folder: str = "."
    targets: tuple[Target, ...] = ()
    exclude: tuple[str, ...] = ()
    wishes: Narrowing | None = None
