"""The quarterly size report: what happened to every target, and what to do next. Values only.

Only measurements of what the default branch holds (`applied`) say how large a target is; the
others are proposals, and show as what merging would bring.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from bot.model.evidence import Baseline, Measurement

Key = tuple[str, str, str]
"""Project, target, platform."""


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A calendar quarter in a time zone; `number` is 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def previous(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def next(self) -> Quarter:
        """The quarter after."""
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    def start(self, zone: tzinfo) -> datetime:
        """Its first moment in a zone."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=zone)

    def end(self, zone: tzinfo) -> datetime:
        """The first moment after it."""
        return self.next.start(zone)


def quarter_of(moment: datetime, zone: tzinfo) -> Quarter:
    """The quarter a moment lies in, by the calendar of a zone."""
    local = moment.astimezone(zone)
    return Quarter(local.year, (local.month + 2) // 3)


def parse_quarter(text: str) -> Quarter:
    """Read `2026Q3`.

    Raises:
        ValueError: It is written otherwise.
    """
    year, mark, number = text.strip().upper().partition("Q")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and mark and number in set("1234")):
        raise ValueError(f"a quarter is written 2026Q3, not {text[:20]!r}")
    return Quarter(int(year), int(number))


@dataclass(frozen=True, slots=True)
class Point:
    """One size in a target's history: day and unpacked bytes."""

    day: date
    size: int


@dataclass(frozen=True, slots=True)
class TargetSize:
    """One target on one platform over a quarter; bytes, seconds, counts.

    Attributes:
        key: Project, target, platform.
        now: Its last measurement up to the end of the quarter.
        start: Its size when the quarter began; None where it was not measured before.
        baseline: The size it is compared with, or None.
        budget: The largest allowed size, or None.
        base_made: When its base image says it was made, or None.
        fresh: True where it was measured in this quarter.
        build_before: Seconds of the first cold build of the quarter, or None.
        proposed: The newest proposal that is not merged, or None.
        history: Up to two years, the last size of each month, oldest first.
    """

    key: Key
    now: Measurement
    start: int | None
    baseline: int | None
    budget: int | None
    base_made: datetime | None
    fresh: bool
    build_before: float | None
    proposed: Measurement | None
    history: tuple[Point, ...]

    @property
    def size(self) -> int:
        """Unpacked bytes now."""
        return self.now.size or 0

    @property
    def change(self) -> int | None:
        """Bytes gained over the quarter; None where there is no earlier measurement."""
        return None if self.start is None else self.size - self.start


@dataclass(frozen=True, slots=True)
class SizeReport:
    """Everything the report says.

    Attributes:
        quarter: Which.
        so_far: True while the quarter is not over.
        first: True where nothing was measured before this quarter: no trend yet.
        targets: The largest first.
        waiting: Held back updates, in words.
        abandoned: Tags that no longer move, in words.
        made: When the report was made.
    """

    quarter: Quarter
    so_far: bool
    first: bool
    targets: tuple[TargetSize, ...]
    waiting: tuple[str, ...]
    abandoned: tuple[str, ...]
    made: datetime


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every target of a report is held against."""

    begin: datetime
    baselines: Mapping[Key, int]
    budgets: Mapping[tuple[str, str], int]
    bases_made: Mapping[str, datetime]


def report(  # noqa: PLR0913 - everything a report is made of, by name
    measurements: Iterable[Measurement],
    baselines: Iterable[Baseline],
    quarter: Quarter,
    *,
    now: datetime,
    zone: tzinfo,
    budgets: Mapping[tuple[str, str], int] | None = None,
    bases_made: Mapping[str, datetime] | None = None,
    waiting: Sequence[str] = (),
    abandoned: Sequence[str] = (),
) -> SizeReport:
    """Sum a quarter up.

    Args:
        measurements: Points of the time series; later than the quarter's end is left out.
        baselines: What sizes are compared with.
        quarter: Which.
        now: The current time.
        zone: Whose calendar counts.
        budgets: Size budgets in bytes by (project, target).
        bases_made: When a base image (with digest) says it was made.
        waiting: Held back updates, in words.
        abandoned: Tags that no longer move, in words.
    """
    end = quarter.end(zone)
    limits = {(b.project, b.target, b.platform): b.size for b in baselines}
    frame = _Frame(quarter.start(zone), limits, budgets or {}, bases_made or {})
    series = _series(m for m in measurements if m.at < end and m.size is not None)
    held = ((key, points) for key, points in series.items() if any(point.applied for point in points))
    targets = [_target(key, points, frame) for key, points in held]
    return SizeReport(
        quarter=quarter,
        so_far=now < end,
        first=all(target.start is None for target in targets),
        targets=tuple(sorted(targets, key=lambda target: (-target.size, target.key))),
        waiting=tuple(waiting),
        abandoned=tuple(abandoned),
        made=now,
    )


def _series(measurements: Iterable[Measurement]) -> dict[Key, list[Measurement]]:
    series: dict[Key, list[Measurement]] = defaultdict(list)
    for point in sorted(measurements, key=lambda m: m.at):
        series[point.project, point.target, point.platform].append(point)
    return series


def _target(key: Key, points: Sequence[Measurement], frame: _Frame) -> TargetSize:
    held = [point for point in points if point.applied]
    earlier = [point for point in held if point.at < frame.begin]
    inside = [point for point in held if point.at >= frame.begin]
    builds = [point.build_seconds for point in inside if point.build_seconds is not None]
    newest = points[-1]
    return TargetSize(
        key=key,
        now=held[-1],
        start=earlier[-1].size if earlier else None,
        baseline=frame.baselines.get(key),
        budget=frame.budgets.get(key[:2]),
        base_made=frame.bases_made.get(held[-1].base),
        fresh=any(point.at >= frame.begin for point in points),
        build_before=builds[0] if builds else None,
        proposed=None if newest.applied or newest.base == held[-1].base else newest,
        history=_history(held),
    )


def _history(held: Sequence[Measurement]) -> tuple[Point, ...]:
    """The last size of each month, for two years."""
    months = {(point.at.year, point.at.month): point for point in held}
    return tuple(Point(point.at.date(), point.size or 0) for point in months.values())[-24:]
