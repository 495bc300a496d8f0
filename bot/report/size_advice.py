"""What to do next after a quarter: at most five things, ranked by megabytes and risk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.report import wording
from bot.report.quote import code
from bot.report.size import SizeReport, TargetSize

MOST: Final = 5
_CREEP: Final = 1.05  # growth against the baseline that is worth a look
_OLD_DAYS: Final = 90
_CRITICAL_WEIGHT: Final = 50.0  # one critical vulnerability weighs as much as 50 MB
_HIGH_WEIGHT: Final = 5.0
_MB: Final = 1e6

_Advice = tuple[float, str]


def advice(report: SizeReport) -> tuple[str, ...]:
    """Sentences of Markdown, the weightiest first."""
    every = [item for target in report.targets for item in _for_target(target, report)]
    every += [(1.0, f"choose another tag: {text}") for text in report.abandoned]
    every.sort(key=lambda item: -item[0])
    return tuple(text for _, text in every[:MOST])


def _for_target(target: TargetSize, report: SizeReport) -> Iterable[_Advice]:
    name = code(target.key[1], limit=60)
    yield from _merge(target, name)
    yield from _shrink(target, name)
    if not target.fresh:
        when = wording.day(target.now.at)
        yield 20.0, f"find out why {name} was not measured this quarter (last on {when})"
    if target.base_made and not target.proposed and (report.made - target.base_made).days > _OLD_DAYS:
        yield 10.0, f"look at the base of {name}: {wording.age(target.base_made, report.made)} old"


def _merge(target: TargetSize, name: str) -> Iterable[_Advice]:
    """A proposal that nobody merged: what it would fix and save."""
    proposed = target.proposed
    if proposed is None:
        return
    critical = max(0, target.now.critical - proposed.critical)
    high = max(0, target.now.high - proposed.high)
    saved = target.size - (proposed.size or target.size)
    gains = [f"{critical} critical"] if critical else []
    gains += [f"{high} high"] if high else []
    fixes = f"fixes {wording.listed(gains)}" if gains else ""
    size = f"{wording.megabytes_change(-saved)}" if saved else ""
    what = ", ".join(part for part in (fixes, size) if part) or "a fresh base"
    weight = critical * _CRITICAL_WEIGHT + high * _HIGH_WEIGHT + max(0.0, saved / _MB)
    yield weight, f"merge the open update of {name} ({what})"


def _shrink(target: TargetSize, name: str) -> Iterable[_Advice]:
    """Over budget first; else grown since the baseline."""
    if target.budget is not None and target.size > target.budget:
        over = target.size - target.budget
        yield 30.0 + over / _MB, f"bring {name} under its budget: {wording.megabytes(over)} over"
    elif target.baseline and target.size > target.baseline * _CREEP:
        grown = wording.percent_change(target.baseline, target.size)
        more = target.size - target.baseline
        yield more / _MB, f"look into the growth of {name}: {grown} against its baseline"
