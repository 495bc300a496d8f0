"""Evidence: what was measured before and after an update, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.manifest import Platform
from bot.model.vulnerability import Comparison, Scan


class Level(StrEnum):
    """How much was proved: the base images compared, the target built, the target started."""

    BASE = "base"
    BUILD = "build"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; sizes in bytes.

    Attributes:
        diff_id: Digest of the uncompressed layer.
        size: Uncompressed bytes of the layer tar.
        instruction: The instruction that made it, from the image's history.
    """

    diff_id: str
    size: int
    instruction: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build, as BuildKit reports it."""

    name: str
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True)
class Build:
    """One finished build; bytes and seconds.

    Attributes:
        image: Image id (config digest) in the engine.
        seconds: Wall time of the build.
        steps: What BuildKit did, in order.
        size: Unpacked: the sum of uncompressed layer tars, counted by us.
        pushed_size: What a registry would store, or None where it was not measured.
        layers: From the bottom.
    """

    image: str
    seconds: float
    steps: tuple[Step, ...]
    size: int
    layers: tuple[Layer, ...]
    pushed_size: int | None = None


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One platform of a base image, as its registry describes it.

    Attributes:
        reference: `registry/repository@digest` of the platform's manifest.
        digest: Digest of the platform's manifest.
        pushed_size: Bytes a registry stores.
        diff_ids: Layers from the bottom.
        created: When it says it was made, or None.
    """

    reference: str
    digest: str
    pushed_size: int
    diff_ids: tuple[str, ...]
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class BasePair:
    """The base before and after, for one platform.

    Attributes:
        platform: Which.
        before: None for a pin, or where the old image is gone.
        after: The new one.
        before_reason: Why there is no before; empty otherwise.
    """

    platform: Platform
    before: BaseImage | None
    after: BaseImage
    before_reason: str = ""


class HealthState(StrEnum):
    """How a container did.

    `started` is the best that can be said of an image with no HEALTHCHECK.
    """

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STARTED = "started"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class Health:
    """What a container did when started.

    Attributes:
        state: How it did.
        seconds: From start to first success, or to giving up.
        log: Last lines of the container when it failed; text from outside.
    """

    state: HealthState
    seconds: float
    log: str = ""

    @property
    def good(self) -> bool:
        """True for what may be merged: healthy, or started where nothing more can be asked."""
        return self.state in (HealthState.HEALTHY, HealthState.STARTED)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the evidence: before or after.

    Attributes:
        base: The base image with digest.
        base_size: Unpacked bytes of the base image, or None.
        base_pushed_size: Bytes of the base as a registry stores it, or None.
        scan: The target's scan; at level base the base image's.
        build: None at level base.
        health: None below level health.
    """

    base: str
    scan: Scan
    base_pushed_size: int | None = None
    base_size: int | None = None
    build: Build | None = None
    health: Health | None = None

    @property
    def size(self) -> int | None:
        """Unpacked bytes of what was scanned, or None where nothing counted them."""
        return self.build.size if self.build else self.base_size


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for one update of one target on one platform.

    Attributes:
        key: Digest of everything that went in; equal key, equal evidence.
        level: What was reached.
        level_reason: Why not more, in words; empty at level health.
        platform: What it was measured for.
        before: None for a pin, or where the old image is gone.
        before_reason: Why there is no before; empty otherwise.
        after: The new side; None where it could not be made (see `failure`).
        comparison: None where there is no before or no after.
        failure: Why *after* could not be proved (build failed, scan failed); empty otherwise.
        failure_log: Last lines of what failed; text from outside.
        failed_before_too: True where *before* fails the same way: not the update's fault.
        started: When the proof began.
        seconds: How long it took.
    """

    key: str
    level: Level
    level_reason: str
    platform: Platform
    before: Side | None
    after: Side | None
    comparison: Comparison | None
    started: datetime
    seconds: float
    before_reason: str = ""
    failure: str = ""
    failure_log: str = ""
    failed_before_too: bool = False


class VerdictState(StrEnum):
    """May this be merged?"""

    PASS = "pass"  # noqa: S105 - the word of the outputs, no password
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state and every reason for it, the weightiest first; text for people."""

    state: VerdictState
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The size a target is compared with.

    Attributes:
        project: Its project.
        target: Its name.
        platform: What it was measured for.
        size: Unpacked bytes.
        digest: Base digest it was measured on.
        at: When it became the baseline.
    """

    project: str
    target: str
    platform: str
    size: int
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Measurement:
    """One point of a target's time series; bytes, seconds, counts.

    Attributes:
        project: Its project.
        target: Its name.
        platform: What it was measured for.
        at: When.
        cycle: Id of the cycle that measured it.
        base: Base image with digest.
        size: Unpacked bytes, or None.
        pushed_size: Bytes a registry stores, or None.
        layers: Number of layers.
        build_seconds: Cold build, or None.
        critical: Vulnerabilities of severity CRITICAL …
        high: … HIGH
        medium: … MEDIUM
        low: … LOW
        applied: True once the default branch holds this base.
    """

    project: str
    target: str
    platform: str
    at: datetime
    cycle: str
    base: str
    size: int | None
    pushed_size: int | None
    layers: int
    build_seconds: float | None
    critical: int
    high: int
    medium: int
    low: int
    applied: bool
