"""Evidence: what was measured before and after an update, and the verdict on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
class PathSize:
    """A path in an image and its bytes: held there, wasted there, or by how much it grew."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; sizes in bytes.

    Attributes:
        diff_id: Digest of the uncompressed layer.
        size: Uncompressed bytes of the layer tar.
        instruction: The instruction that made it, from the image's history.
        base: True for a layer of the base image whose update is proved.
        pushed_size: What a registry would store, or None where it was not measured.
        grown: On the new side, for a layer larger than its partner before: the paths that grew most.
        files: Bytes of each file; only while a proof is made, evidence that is kept has none.
    """

    diff_id: str
    size: int
    instruction: str
    base: bool = False
    pushed_size: int | None = None
    grown: tuple[PathSize, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build, as BuildKit reports it.

    Attributes:
        name: `[builder 2/4] RUN make`; BuildKit's own steps begin with `[internal]`.
        seconds: How long it took.
        cached: True where nothing was done.
        bytes: What it moved: of the build context, or of an image that was pulled.
    """

    name: str
    seconds: float
    cached: bool
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Waste:
    """Bytes that a later layer overwrote or removed, as dive counts them (wagoodman/dive, `efficiency.go`).

    Attributes:
        efficiency: For all paths, the smallest size each one had over the sum of its sizes; 1 is best.
        wasted: Bytes of every path that stands in two or more layers, the needed copy included.
        user_share: `wasted` over the bytes of all layers but the first; None for an image of one layer.
        paths: The paths that waste most.
    """

    efficiency: float
    wasted: int
    user_share: float | None
    paths: tuple[PathSize, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildNetwork:
    """Whether a build was kept from loopback, private and link-local addresses; where not, why, in words."""

    closed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """One finished build; bytes and seconds.

    Attributes:
        image: Image id (config digest) in the engine.
        seconds: Wall time of the build.
        steps: What BuildKit did, in order.
        size: Unpacked: the sum of uncompressed layer tars, counted by us.
        layers: From the bottom.
        pushed_size: What a registry would store, or None where it was not measured.
        waste: What later layers overwrote or removed, or None where it was not measured.
        package_size: Bytes of the files that OS packages own, in all layers; None where no list of them
            can be read.
        pull_seconds: Time spent on getting images; BuildKit tells hundredths at best.
        pull_bytes: Bytes that came from registries; 0 where the engine had them.
        largest: The largest files of the Dockerfile's own layers, so that growth over months has a name.
        network: What the steps could reach; None for what was not built, and in evidence of older versions.
        lost_caches: Images of layer cache that could not be had, each with the reason in words.
    """

    image: str
    seconds: float
    steps: tuple[Step, ...]
    size: int
    layers: tuple[Layer, ...]
    pushed_size: int | None = None
    waste: Waste | None = None
    package_size: int | None = None
    pull_seconds: float = 0.0
    pull_bytes: int = 0
    largest: tuple[PathSize, ...] = ()
    network: BuildNetwork | None = None
    lost_caches: tuple[tuple[str, str], ...] = ()

    @property
    def base_size(self) -> int:
        """Unpacked bytes of the layers that belong to the base image."""
        return sum(layer.size for layer in self.layers if layer.base)

    @property
    def own_size(self) -> int:
        """Unpacked bytes of the layers that the Dockerfile adds."""
        return self.size - self.base_size

    @property
    def cache_hit_rate(self) -> float | None:
        """Cached instructions over all that could be cached; None where there were none."""
        own = [step for step in self.steps if _is_instruction(step)]
        return sum(step.cached for step in own) / len(own) if own else None


def networks(sides: Iterable[Side | None]) -> tuple[BuildNetwork, ...]:
    """What the builds of these sides could reach, as far as it is known; each once."""
    builds = [side.build for side in sides if side and side.build]
    return tuple(dict.fromkeys(build.network for build in builds if build.network))


def _is_instruction(step: Step) -> bool:
    """True for a step of the Dockerfile that does something: not `[internal]`, not `FROM`, no export."""
    return step.name.startswith("[") and not step.name.startswith("[internal]") and "] FROM " not in step.name


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One platform of a base image, as its registry describes it.

    Attributes:
        reference: `registry/repository@digest` of the platform's manifest.
        digest: Digest of the platform's manifest.
        pushed_size: Bytes a registry stores.
        diff_ids: Layers from the bottom.
        created: When it says it was made, or None.
        layer_sizes: Bytes a registry stores for each layer, from the bottom.
    """

    reference: str
    digest: str
    pushed_size: int
    diff_ids: tuple[str, ...]
    created: datetime | None = None
    layer_sizes: tuple[int, ...] = ()


class Absence(StrEnum):
    """Why there is no before: a pin has none, the old image is gone, or the target did not build on it."""

    PINNED = "pinned"
    GONE = "gone"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class BasePair:
    """The base before and after, for one platform.

    Attributes:
        platform: Which.
        before: None for a pin, or where the old image is gone.
        after: The new one.
        before_reason: Why there is no before, in words; empty otherwise.
        absence: The same in a word; None otherwise.
    """

    platform: Platform
    before: BaseImage | None
    after: BaseImage
    before_reason: str = ""
    absence: Absence | None = None


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


class SideName(StrEnum):
    """Which side of the evidence."""

    BEFORE = "before"
    AFTER = "after"


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
        before: None for a pin, where the old image is gone, or where the target builds on the new base only.
        before_reason: Why there is no before, in words; empty otherwise.
        absence: The same in a word; None otherwise.
        after: The new side; where the target does not build, its new base image.
        comparison: None where there is no before.
        failure: Why the target does not build on the new base, and did on the old one; empty otherwise.
        failure_log: Last lines of what failed; text from outside.
        not_built: Why the target does not build on the new base, where that is not the update's fault or
            where there is no before to tell; empty otherwise.
        this_time_only: True where the engine failed: the next cycle tries for a higher level again.
        failed_before_too: True where *before* does not build either: not the update's fault.
        commit: The commit that was measured; a later one with the same content finds this evidence.
        started: When the proof began.
        seconds: How long it took.
    """

    key: str
    level: Level
    level_reason: str
    platform: Platform
    before: Side | None
    after: Side
    comparison: Comparison | None
    started: datetime
    seconds: float
    before_reason: str = ""
    failure: str = ""
    failure_log: str = ""
    failed_before_too: bool = False
    not_built: str = ""
    absence: Absence | None = None
    this_time_only: bool = False
    commit: str = ""

    def side(self, name: SideName) -> Side | None:
        """One side by its name."""
        return self.before if name is SideName.BEFORE else self.after


class VerdictState(StrEnum):
    """May this be merged?"""

    PASS = "pass"  # noqa: S105 - the word of the outputs, no password
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state and every reason for it, the weightiest first; text for people.

    What only qualifies a pass (nothing to compare with, no HEALTHCHECK to ask) comes last.
    """

    state: VerdictState
    reasons: tuple[str, ...]
