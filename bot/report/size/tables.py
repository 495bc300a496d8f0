"""The rows of the size report's tables: plain text in cells, the same for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.model.finding import Finding
from bot.report import wording
from bot.report.size.values import SizeReport, TargetSize, Trend


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first `words` columns hold words, the others numbers.

    Attributes:
        head: Names of the columns.
        rows: Cells of plain text.
        outside: Columns whose text comes from outside.
        words: Columns to align left.
        left_out: Rows that are not shown.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    outside: tuple[int, ...] = (0,)
    words: tuple[int, ...] = (0,)
    left_out: int = 0


def targets(report: SizeReport, most: int) -> Table:
    """Every target: size now, over the quarter, against its baseline and its budget."""
    rows = [_target(target, report) for target in report.targets[:most]]
    head = ("Target", "Now", "Quarter", "Baseline", "Budget", "Critical / High", "Base")
    return Table(
        head,
        tuple(rows),
        outside=(0, len(head) - 1),
        words=(0, len(head) - 1),
        left_out=len(report.targets) - len(rows),
    )


def _target(target: TargetSize, report: SizeReport) -> tuple[str, ...]:
    stale = "" if target.fresh else f" (on {wording.day(target.now.at)})"
    age = f", {wording.age(target.base_made, report.made)} old" if target.base_made else ""
    return (
        label(target, report),
        f"{wording.megabytes(target.size)}{stale}",
        "new" if target.start is None else _change(target.start.size or 0, target.size),
        wording.percent_change(target.baseline, target.size) if target.baseline else wording.NONE,
        _budget(target),
        f"{target.now.critical} / {target.now.high}",
        target.now.base.partition("@")[0] + age,
    )


def label(target: TargetSize, report: SizeReport) -> str:
    """`backend`; with project and platform only where the report has several of them."""
    projects, platforms = ({one.key[part] for one in report.targets} for part in (0, 2))
    project, name, platform = target.key
    shown = f"{project} {name}" if len(projects) > 1 else name
    return f"{shown} · {platform}" if len(platforms) > 1 else shown


def _change(start: int, now: int) -> str:
    return f"{wording.megabytes_change(now - start)} ({wording.percent_change(start, now)})"


def _budget(target: TargetSize) -> str:
    if target.budget is None:
        return wording.NONE
    text = wording.megabytes(target.budget)
    return f"over {text}" if target.size > target.budget else text


def measured(report: SizeReport, most: int) -> Table | None:
    """Layers, waste, and how build, pull and cache moved; None where there is no target."""
    rows = tuple(_measured(target, report) for target in report.targets[:most])
    head = ("Target", "Layers", "Pushed", "Wasted", "Efficiency", "Build", "Pull of the base", "From cache")
    return Table(head, rows, left_out=len(report.targets) - len(rows)) if rows else None


def _measured(target: TargetSize, report: SizeReport) -> tuple[str, ...]:
    now = target.now
    return (
        label(target, report),
        str(now.layers),
        wording.megabytes(now.pushed_size),
        wording.megabytes(now.wasted),
        _share(now.efficiency),
        _moved(target.builds, wording.seconds),
        _moved(target.pulls, wording.seconds),
        _moved(target.cache, _share),
    )


def _moved(trend: Trend, write: Callable[[float | None], str]) -> str:
    """`41.3 s → 38.0 s`; one value where both are the same."""
    first, last = write(trend.first), write(trend.last)
    return last if first == last else f"{first} → {last}"


def _share(value: float | None) -> str:
    return wording.NONE if value is None else f"{value * 100:.0f} %"


def audit(findings: Sequence[Finding], most: int) -> Table:
    """The guide's findings, the largest saving and the gravest first."""
    ranked = sorted(findings, key=lambda one: (-(one.saves or 0), one.severity.order, one.subject, one.rule))
    rows = [(one.rule, _place(one), one.message, wording.megabytes(one.saves)) for one in ranked[:most]]
    head = ("Rule", "Where", "Found", "Saves")
    left_out = len(findings) - len(rows)
    return Table(head, tuple(rows), outside=(0, 1, 2), words=(0, 1, 2), left_out=left_out)


def _place(finding: Finding) -> str:
    return f"{finding.subject}:{finding.line}" if finding.line else finding.subject
