"""The eight edges of Refit, as Protocols. Adapters implement them; `bot/app.py` chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.model.evidence import Baseline, Build, Evidence, Health, Measurement
from bot.model.manifest import Head, ImageConfig, Index, Manifest, Platform
from bot.model.reference import Reference
from bot.model.run import Cycle, Issue, Plan, Publication, PullRequest
from bot.model.target import HealthPlan, Project
from bot.model.vulnerability import Database, Scan


class Clock(Protocol):
    """Two clocks: wall time for policy, monotonic time for deadlines."""

    def now(self) -> datetime:
        """The current time in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class Progress(Protocol):
    """Where long work says what it is doing; on a terminal a person watches."""

    def step(self, text: str) -> None:
        """A step of the run begins."""
        ...

    def detail(self, text: str) -> None:
        """Something worth a line inside the current step."""
        ...


class Registry(Protocol):
    """OCI registries, all of them. Raises `RegistryError`s; safe to call concurrently."""

    async def head(self, reference: Reference) -> Head:
        """Ask by one HEAD what a tag or digest points at now."""
        ...

    async def content(self, reference: Reference) -> Index | Manifest:
        """Get the index or manifest of a reference, its digest verified against the bytes."""
        ...

    async def config(self, reference: Reference, manifest: Manifest) -> ImageConfig:
        """Get the image config of a manifest in the repository of `reference`."""
        ...

    async def tags(self, reference: Reference) -> tuple[str, ...]:
        """List every tag of the repository; raises rather than give an incomplete list."""
        ...

    def requests(self) -> Mapping[str, int]:
        """How many requests were sent to manifests, tags and blobs so far, by method."""
        ...

    def quota(self) -> Mapping[str, str]:
        """What each registry says is left, as people read it: `98/100`."""
        ...


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
    """

    context: Path
    dockerfile: Path
    name: str
    args: tuple[tuple[str, str], ...] = ()
    stage: str | None = None
    platform: Platform | None = None
    fresh_stages: tuple[str, ...] = ()
    seconds: float = 1800.0


class Builder(Protocol):
    """A container engine: builds, measures, starts. Blocking; raises `EngineError`s."""

    def available(self) -> str:
        """Name and version of the engine; raises `EngineMissing` where there is none."""
        ...

    def build(self, request: BuildRequest) -> Build:
        """Build an image and measure it; raises `BuildFailed` with the failing step's last lines."""
        ...

    def health(self, image: str, plan: HealthPlan, *, name: str) -> Health:
        """Start an image on a closed network and probe it until it is healthy or time is up."""
        ...

    def remove(self, prefix: str) -> None:
        """Remove every image, container and network whose name starts with `prefix`."""
        ...


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan.

    Attributes:
        subject: A reference with digest (remote), or an image id (engine).
        remote: True to read it from its registry, which needs no engine.
        digest: Digest of the image content, the scan's cache key.
        platform: Which platform of an index.
    """

    subject: str
    remote: bool
    digest: str
    platform: Platform


class Scanner(Protocol):
    """A vulnerability scanner. Blocking; raises `ScanError`s; safe to call from several threads."""

    def identity(self) -> str:
        """Name and version, checked against what must not run: `trivy 0.74.0`."""
        ...

    def database(self) -> Database:
        """The one database snapshot of this cycle; taken at the first call."""
        ...

    def scan(self, request: ScanRequest) -> Scan:
        """Scan one image with that snapshot, all packages listed."""
        ...


class Checkout(Protocol):
    """The files of a project at one commit. Blocking."""

    @property
    def commit(self) -> str:
        """The full commit id."""
        ...

    @property
    def branch(self) -> str:
        """The branch pull requests go to."""
        ...

    def tree(self, path: str) -> str:
        """The git object id of a file or folder at this commit (`.` is the whole); equal id, equal bytes."""
        ...

    def paths(self) -> Sequence[str]:
        """Every tracked path, with `/`, sorted."""
        ...

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        """The bytes of a file; raises `ForgeError` where it is missing or larger than `limit`."""
        ...

    def export(self, destination: Path) -> None:
        """Write all files (a `git archive`: no `.git`) below `destination`."""
        ...


class Forge(Protocol):
    """Where projects live and publications appear. Blocking; raises `ForgeError`s."""

    def checkout(self, project: Project, commit: str | None = None) -> Checkout:
        """The files of the project's base branch now, or at an earlier commit of it."""
        ...

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        """The newest pull request of ours for a slot (marker and author checked), in any state."""
        ...

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        """Open a pull request, or bring the open one up to date; returns what the forge confirmed."""
        ...

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        """The newest issue of ours for a slot, in any state."""
        ...

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        """Open an issue, or bring the open one up to date."""
        ...

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        """Close a pull request or issue of ours with a comment that says why."""
        ...


class Chat(Protocol):
    """A conversation that can be answered in its thread."""

    def say(self, thread: str, text: str) -> str:
        """Post to a thread; returns the message's id."""
        ...

    def edit(self, thread: str, message: str, text: str) -> None:
        """Replace the text of a message of ours."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work by name, with a small JSON value."""

    name: str
    value: Mapping[str, str] = field(default_factory=dict)


class Queue(Protocol):
    """Work to be done soon, once for each key."""

    def submit(self, task: Task, key: str) -> bool:
        """Take the task; False where work with this key is already waiting or running."""
        ...

    def drain(self, seconds: float) -> bool:
        """Take no more, wait for what runs; True when all of it ended in time."""
        ...


class Store(Protocol):
    """Everything that outlives a process. Blocking; safe from several threads."""

    def begin(self, name: str, now: datetime) -> Cycle:
        """The unfinished cycle of this name, else a new attempt."""
        ...

    def finish(self, cycle: Cycle, result: str, now: datetime) -> Cycle:
        """Mark a cycle done, with its result as JSON."""
        ...

    def cycles(self, name: str | None = None, limit: int = 50) -> tuple[Cycle, ...]:
        """Cycles, newest first."""
        ...

    def result(self, cycle_id: str) -> str | None:
        """The result of a finished cycle as JSON."""
        ...

    def plan(self, cycle: Cycle) -> Plan | None:
        """The plan stored for a cycle, or None."""
        ...

    def save_plan(self, cycle: Cycle, plan: Plan) -> None:
        """Store the plan of a cycle."""
        ...

    def evidence(self, key: str) -> Evidence | None:
        """Finished evidence by the key of what went in."""
        ...

    def save_evidence(self, evidence: Evidence) -> None:
        """Store finished evidence under its key."""
        ...

    def scan(self, key: str) -> Scan | None:
        """A finished scan by its key."""
        ...

    def save_scan(self, key: str, scan: Scan) -> None:
        """Store a finished scan."""
        ...

    def publication(self, slot: str) -> Publication | None:
        """What was last published in a slot."""
        ...

    def publications(self, project: str | None = None) -> tuple[Publication, ...]:
        """All publications."""
        ...

    def save_publication(self, publication: Publication) -> None:
        """Store a publication after the forge confirmed it."""
        ...

    def baseline(self, project: str, target: str, platform: str) -> Baseline | None:
        """The size a target is compared with."""
        ...

    def save_baseline(self, baseline: Baseline) -> None:
        """Move the baseline of a target."""
        ...

    def measurements(self, since: datetime, until: datetime) -> tuple[Measurement, ...]:
        """Points of all targets' time series, oldest first."""
        ...

    def save_measurement(self, measurement: Measurement) -> None:
        """Add a point; the same cycle, target, platform and base replaces it."""
        ...

    def first_seen(self, reference: str, digest: str) -> datetime | None:
        """When this digest was first seen behind this reference."""
        ...

    def sightings(self, reference: str) -> tuple[tuple[str, datetime], ...]:
        """Every digest seen behind a reference with its first time, oldest first."""
        ...

    def observe(self, reference: str, digest: str, now: datetime) -> datetime:
        """Record a sighting; returns the first time this digest was seen here."""
        ...

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A cached answer (immutable content, a tag list) and when it was stored."""
        ...

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        """Cache an answer."""
        ...

    def audit(self, who: str, what: str, detail: str, now: datetime) -> None:
        """Append to the log of who asked for what and what was done."""
        ...
