"""What to do next after a quarter: at most five things, ranked by megabytes and risk.

One scale for both: a megabyte weighs 1, a critical vulnerability as much as 50 MB, a high one as
much as 5 MB. It is a ranking for people, no measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.model.finding import Finding, RuleSeverity
from bot.report import wording
from bot.report.size.values import SizeReport, TargetSize

MOST: Final = 5
_CREEP: Final = 1.05  # growth against the baseline that is worth a look
_OLD_DAYS: Final = 90
_LEAN: Final = 0.9  # dive's own limit for an efficient image
_CRITICAL_WEIGHT: Final = 50.0
_HIGH_WEIGHT: Final = 5.0
_AUDIT_WEIGHTS: Final[Mapping[RuleSeverity, float]] = {
    RuleSeverity.ERROR: 8.0,
    RuleSeverity.WARNING: 3.0,
    RuleSeverity.NOTE: 0.5,
}
_MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do; plain text, some of it from outside.

    Attributes:
        weight: What it is worth on the one scale.
        before: The sentence up to the subject.
        subject: A target, a tag or a file.
        after: The rest of the sentence.
    """

    weight: float
    before: str
    subject: str
    after: str = ""


def advice(report: SizeReport) -> tuple[Advice, ...]:
    """The weightiest things to do, at most five."""
    every = [item for target in report.targets for item in _for_target(target, report)]
    every += [Advice(30.0, "ship what is merged:", text) for text in report.around.unshipped]
    every += [Advice(6.0, "choose another tag:", text) for text in report.around.abandoned]
    every += [_from_audit(item) for item in report.around.audit]
    return tuple(sorted(every, key=lambda one: -one.weight)[:MOST])


def _for_target(target: TargetSize, report: SizeReport) -> Iterable[Advice]:
    name = target.key[1]
    yield from _merge(target, name)
    yield from _shrink(target, name)
    yield from _waste(target, name)
    if not target.fresh:
        after = f"again (last on {wording.day(target.now.at)}): refit rescan builds and measures it"
        yield Advice(2.0, "measure", name, after)
    if target.base_made and not target.proposed and (report.made - target.base_made).days > _OLD_DAYS:
        age = wording.age(target.base_made, report.made)
        yield Advice(10.0, "look at the base of", name, f"({age} old)")


def _merge(target: TargetSize, name: str) -> Iterable[Advice]:
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
    yield Advice(weight, "merge the open update of", name, f"({what})")


def _shrink(target: TargetSize, name: str) -> Iterable[Advice]:
    """Over budget first; else grown since the baseline."""
    if target.budget is not None and target.size > target.budget:
        over = target.size - target.budget
        yield Advice(
            30.0 + over / _MB,
            "bring",
            name,
            f"under its budget ({wording.megabytes(over)} over){_why(target)}",
        )
    elif target.baseline and target.size > target.baseline * _CREEP:
        grown = wording.percent_change(target.baseline, target.size)
        more = target.size - target.baseline
        after = f"({grown} against its baseline){_why(target)}"
        yield Advice(more / _MB, "look into the growth of", name, after)


def _why(target: TargetSize) -> str:
    """The one layer that grew most, where it is known."""
    layers = target.growth.layers if target.growth else ()
    return f": its largest gain is {wording.megabytes(layers[0].more)} in one layer" if layers else ""


def _waste(target: TargetSize, name: str) -> Iterable[Advice]:
    wasted, efficiency = target.now.wasted, target.now.efficiency
    if wasted and efficiency is not None and efficiency < _LEAN:
        after = f"(they carry {wording.megabytes(wasted)} that later layers replace or delete)"
        yield Advice(wasted / _MB, "rewrite the layers of", name, after)


def _from_audit(finding: Finding) -> Advice:
    weight = _AUDIT_WEIGHTS[finding.severity] + (finding.saves or 0) / _MB
    saves = f"; saves {wording.megabytes(finding.saves)}" if finding.saves else ""
    return Advice(weight, "mend", finding.subject, f"({finding.rule}: {finding.message}{saves})")
