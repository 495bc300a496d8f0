"""Sum a quarter up: measurements become the size report. Values only.

Only measurements of what the default branch holds (`applied`) say how large a target is; the
others are proposals, and show as what merging would bring.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from bot.model.measurement import Baseline, Measurement
from bot.report.size.quarter import Quarter
from bot.report.size.values import Gone, Growth, Key, Point, SizeReport, Surroundings, TargetSize, Trend

_MONTHS: Final = 24
_Month = tuple[int, int]
_Series = Mapping[Key, Sequence[Measurement]]


def no_growth(_before: Measurement, _after: Measurement) -> Growth | None:
    """Say nothing of where an image grew."""
    return None


@dataclass(frozen=True, slots=True)
class Frame:
    """What the measurements of a quarter are held against.

    Attributes:
        quarter: Which.
        zone: Whose calendar counts.
        now: The current time.
        baselines: What sizes are compared with.
        budgets: Size budgets in bytes by (project, target).
        bases_made: When a base image (with digest) says it was made.
        growth: Tells where a target grew between two of its measurements.
        around: What else is true at the end of the quarter.
    """

    quarter: Quarter
    zone: tzinfo
    now: datetime
    baselines: Iterable[Baseline] = ()
    budgets: Mapping[tuple[str, str], int] = field(default_factory=dict)
    bases_made: Mapping[str, datetime] = field(default_factory=dict)
    growth: Callable[[Measurement, Measurement], Growth | None] = no_growth
    around: Surroundings = field(default_factory=Surroundings)


def report(measurements: Iterable[Measurement], frame: Frame) -> SizeReport:
    """Sum a quarter up.

    Args:
        measurements: Points of the time series; what is later than the quarter's end is left out.
        frame: What they are held against.
    """
    end = frame.quarter.end(frame.zone)
    held = _held(m for m in measurements if m.at < end and m.size is not None)
    gone = {key for key in held if _is_gone(key, frame)}
    here = {key: points for key, points in held.items() if key not in gone}
    limits = {(b.project, b.target, b.platform): b.size for b in frame.baselines}
    targets = [_target(key, points, frame, limits.get(key)) for key, points in here.items()]
    return SizeReport(
        quarter=frame.quarter,
        so_far=frame.now < end,
        first=all(target.start is None for target in targets),
        targets=tuple(sorted(targets, key=lambda target: (-target.size, target.key))),
        gone=tuple(sorted((_gone(key, held[key]) for key in gone), key=lambda one: (-one.size, one.key))),
        total=_total(here, frame.zone),
        around=frame.around,
        made=frame.now,
    )


def _held(measurements: Iterable[Measurement]) -> dict[Key, list[Measurement]]:
    """Each target's time series, oldest first; targets of which only proposals are known are left out."""
    series: dict[Key, list[Measurement]] = defaultdict(list)
    for point in sorted(measurements, key=lambda m: m.at):
        series[point.project, point.target, point.platform].append(point)
    return {key: points for key, points in series.items() if any(point.applied for point in points)}


def _is_gone(key: Key, frame: Frame) -> bool:
    known = frame.around.targets
    return known is not None and key[:2] not in known


def _gone(key: Key, points: Sequence[Measurement]) -> Gone:
    last = next(point for point in reversed(points) if point.applied)
    return Gone(key, last.size or 0, last.at)


def _target(key: Key, points: Sequence[Measurement], frame: Frame, baseline: int | None) -> TargetSize:
    begin = frame.quarter.start(frame.zone)
    held = [point for point in points if point.applied]
    earlier = [point for point in held if point.at < begin]
    inside = [point for point in held if point.at >= begin]
    start, now, newest = earlier[-1] if earlier else None, held[-1], points[-1]
    return TargetSize(
        key=key,
        now=now,
        start=start,
        baseline=baseline,
        budget=frame.budgets.get(key[:2]),
        base_made=frame.bases_made.get(now.base),
        fresh=any(point.at >= begin for point in points),
        builds=_trend(inside, lambda point: point.build_seconds),
        pulls=_trend(inside, lambda point: point.pull_seconds),
        cache=_trend(inside, lambda point: point.cache_hit_rate),
        growth=frame.growth(start, now) if start and (now.size or 0) > (start.size or 0) else None,
        proposed=None if newest.applied or newest.base == now.base else newest,
        history=_history(held, frame.zone),
    )


def _trend(points: Sequence[Measurement], measure: Callable[[Measurement], float | None]) -> Trend:
    taken = [value for point in points if (value := measure(point)) is not None]
    return Trend(taken[0], taken[-1]) if taken else Trend()


def _month(point: Measurement, zone: tzinfo) -> _Month:
    local = point.at.astimezone(zone)
    return local.year, local.month


def _history(held: Sequence[Measurement], zone: tzinfo) -> tuple[Point, ...]:
    """The last size of each month, for two years."""
    months = {_month(point, zone): point for point in held}
    points = [Point(one.at.astimezone(zone).date(), one.size or 0) for one in months.values()]
    return tuple(points[-_MONTHS:])


def _total(series: _Series, zone: tzinfo) -> tuple[Point, ...]:
    """All targets together in each month in which one was measured; a size holds until the next."""
    points = sorted((p for held in series.values() for p in held if p.applied), key=lambda point: point.at)
    sizes: dict[Key, int] = {}
    months: dict[_Month, Point] = {}
    for one in points:
        sizes[one.project, one.target, one.platform] = one.size or 0
        months[_month(one, zone)] = Point(one.at.astimezone(zone).date(), sum(sizes.values()))
    return tuple(months.values())[-_MONTHS:]
