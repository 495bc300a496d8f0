"""What the size report says, as values: bytes, seconds, shares from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.model.finding import Finding
from bot.model.measurement import Measurement
from bot.report.size.quarter import Quarter

Key = tuple[str, str, str]
"""Project, target, platform."""


@dataclass(frozen=True, slots=True)
class Point:
    """One size in a target's history: day and unpacked bytes."""

    day: date
    size: int


@dataclass(frozen=True, slots=True)
class Trend:
    """A measure at the first and at the last measurement of a quarter; None where it was not taken."""

    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """One layer, path or package that takes more room than when the quarter began; bytes.

    Attributes:
        name: The instruction, the path, or the package with its versions; text from outside.
        before: Bytes then; 0 where it is new.
        after: Bytes now.
    """

    name: str
    before: int
    after: int

    @property
    def more(self) -> int:
        """Bytes gained."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Growth:
    """Where a grown image grew, the largest gain first; empty parts were not measured on both sides."""

    layers: tuple[Grown, ...] = ()
    paths: tuple[Grown, ...] = ()
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSize:
    """One target on one platform over a quarter; bytes, seconds, counts.

    Attributes:
        key: Project, target, platform.
        now: Its last measurement up to the end of the quarter.
        start: Its last measurement before the quarter; None where there is none.
        baseline: The size it is compared with, or None.
        budget: The largest allowed size, or None.
        base_made: When its base image says it was made, or None.
        fresh: True where it was measured in this quarter.
        builds: Seconds of a cold build.
        pulls: Seconds the base took to pull.
        cache: Share of build steps that came from cache.
        growth: Where it grew over the quarter; None where it did not, or where that is not known.
        proposed: The newest proposal that is not merged, or None.
        history: Up to two years, the last size of each month, oldest first.
    """

    key: Key
    now: Measurement
    start: Measurement | None
    baseline: int | None
    budget: int | None
    base_made: datetime | None
    fresh: bool
    builds: Trend
    pulls: Trend
    cache: Trend
    growth: Growth | None
    proposed: Measurement | None
    history: tuple[Point, ...]

    @property
    def size(self) -> int:
        """Unpacked bytes now."""
        return self.now.size or 0

    @property
    def change(self) -> int | None:
        """Bytes gained over the quarter; None where there is no earlier measurement."""
        return None if self.start is None else self.size - (self.start.size or 0)


@dataclass(frozen=True, slots=True)
class Gone:
    """A target that the project no longer has: its last size in bytes, and when that was measured."""

    key: Key
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Something open, in words, and where to read it (empty where nowhere); text from outside."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is true at the end of a quarter, from the newest cycle and the audit.

    Attributes:
        updates: Open pull requests.
        waiting: Updates held back, with the reason.
        ignored: What rules, snoozes and comments silence, with reason and end.
        abandoned: Tags that no longer move.
        unshipped: Fixes that are merged, but not in the published image.
        failed: Targets that could not be measured, with the error.
        audit: The guide's findings.
        targets: (project, target) pairs that exist now; None where that is not known.
    """

    updates: tuple[Link, ...] = ()
    waiting: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    abandoned: tuple[str, ...] = ()
    unshipped: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    audit: tuple[Finding, ...] = ()
    targets: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class SizeReport:
    """Everything the report says.

    Attributes:
        quarter: Which.
        so_far: True while the quarter is not over.
        first: True where nothing was measured before this quarter: no trend yet.
        targets: The largest first.
        gone: Targets that are no longer there, the largest first; in no sum.
        total: The sum of all targets, the last of each month, oldest first.
        around: What else is true.
        made: When the report was made.
    """

    quarter: Quarter
    so_far: bool
    first: bool
    targets: tuple[TargetSize, ...]
    gone: tuple[Gone, ...]
    total: tuple[Point, ...]
    around: Surroundings
    made: datetime

    @property
    def size(self) -> int:
        """Unpacked bytes of all targets together."""
        return sum(target.size for target in self.targets)

    @property
    def begin(self) -> int:
        """What those that were there when the quarter began weighed then, together."""
        return sum(target.start.size or 0 for target in self.targets if target.start)

    @property
    def change(self) -> int:
        """What those gained over the quarter; new targets are no growth."""
        return sum(target.change or 0 for target in self.targets)
