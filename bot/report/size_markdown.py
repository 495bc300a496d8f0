"""The size report as an issue: one sentence, what to do, a table, charts; honest where data is thin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bot.report import wording
from bot.report.quote import code, quote
from bot.report.size import SizeReport, TargetSize
from bot.report.size_advice import advice

_CHARTS: Final = 6
_ROWS: Final = 200
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 ._/-]")


def title(report: SizeReport) -> str:
    """`Size report 2026Q3`, `Size report 2026Q4 so far`."""
    return f"Size report {report.quarter}{' so far' if report.so_far else ''}"


def markdown(report: SizeReport, *, marker: str = "") -> str:
    """The body of the issue; far below GitHub's limit for any number of targets."""
    parts = [summary(report)]
    if report.targets:
        parts += ["### What to do next", _todo(report), "### Targets", _table(report)]
        parts += list(_charts(report.targets))
        parts += ["### Layers and build times", _builds(report)]
    for heading, items in (("Waiting", report.waiting), ("Abandoned", report.abandoned)):
        if items:
            parts += [f"### {heading}", "\n".join(f"- {quote(item, limit=300)}" for item in items[:50])]
    parts.append("Sizes are unpacked bytes as Refit counts them; MB = 10⁶ bytes. Times are cold builds.")
    return "\n\n".join([*parts, marker] if marker else parts) + "\n"


def summary(report: SizeReport) -> str:
    """The quarter in one or two sentences."""
    name = f"{report.quarter}{' so far' if report.so_far else ''}"
    if not report.targets:
        return f"{name}: nothing was measured, so there is nothing to compare."
    total = sum(target.size for target in report.targets)
    images = wording.count(len(report.targets), "image")
    text = f"{name}: {images}, {wording.megabytes(total)} together"
    compared = [target for target in report.targets if target.start is not None]
    if report.first:
        return f"{text}. First quarter: no trend yet."
    change = sum(target.change or 0 for target in compared)
    before = sum(target.start or 0 for target in compared)
    grown = f"{wording.megabytes_change(change)} ({wording.percent_change(before, before + change)})"
    new = len(report.targets) - len(compared)
    added = f"; {new} new, with no trend yet" if new else ""
    return f"{text}; {grown} over the quarter{added}."


def _todo(report: SizeReport) -> str:
    items = advice(report)
    if not items:
        return "Nothing: no budget is exceeded, nothing grew, nothing waits for you."
    return "\n".join(f"{n}. {wording.sentence(text)}" for n, text in enumerate(items, start=1))


def _table(report: SizeReport) -> str:
    several = len({target.key[0] for target in report.targets}) > 1
    rows = ["| Target | Now | Quarter | Baseline | Budget | Base |", "|:--|--:|--:|--:|--:|:--|"]
    rows += [_row(target, report, with_project=several) for target in report.targets[:_ROWS]]
    left_out = len(report.targets) - _ROWS
    foot = f"\n\n… and {left_out} smaller ones, not shown." if left_out > 0 else ""
    return "\n".join(rows) + foot


def _row(target: TargetSize, report: SizeReport, *, with_project: bool) -> str:
    project, name, platform = target.key
    label = quote(f"{project} {name}" if with_project else name, limit=100)
    change = "new" if target.start is None else _change(target.start, target.size)
    stale = "" if target.fresh else f" (on {wording.day(target.now.at)})"
    base = code(target.now.base.partition("@")[0], limit=60)
    base += f", {wording.age(target.base_made, report.made)} old" if target.base_made else ""
    cells = (
        f"{label} · {quote(platform)}",
        f"{wording.megabytes(target.size)}{stale}",
        change,
        wording.percent_change(target.baseline, target.size) if target.baseline else wording.NONE,
        _budget(target),
        base,
    )
    return f"| {' | '.join(cells)} |"


def _change(start: int, now: int) -> str:
    return f"{wording.megabytes_change(now - start)} ({wording.percent_change(start, now)})"


def _budget(target: TargetSize) -> str:
    if target.budget is None:
        return wording.NONE
    text = wording.megabytes(target.budget)
    return f"**over {text}**" if target.size > target.budget else text


def _charts(targets: Sequence[TargetSize]) -> Iterable[str]:
    """One chart a target that has a history, the largest change first."""
    moving = [target for target in targets if len(target.history) > 1]
    moving.sort(key=lambda target: -abs(target.change or 0))
    if moving:
        yield "### Over time"
    for target in moving[:_CHARTS]:
        yield _chart(target)
    if len(moving) > _CHARTS:
        yield f"Charts of {len(moving) - _CHARTS} more targets are left out."


def _chart(target: TargetSize) -> str:
    """A Mermaid xychart; labels hold letters and digits only, so nothing in a name is syntax."""
    label = _UNSAFE.sub(" ", f"{target.key[1]} {target.key[2]}")[:80]
    days = ", ".join(f'"{point.day:%Y-%m}"' for point in target.history)
    sizes = [point.size / 1e6 for point in target.history]
    limit = max([*sizes, (target.budget or 0) / 1e6]) * 1.1
    lines = ["```mermaid", "xychart-beta", f'    title "{label}, MB"', f"    x-axis [{days}]"]
    lines += [f'    y-axis "MB" 0 --> {limit:.0f}', f"    line [{', '.join(f'{s:.1f}' for s in sizes)}]"]
    if target.budget:
        lines.append(f"    line [{', '.join([f'{target.budget / 1e6:.1f}'] * len(sizes))}]")
    return "\n".join([*lines, "```"])


def _builds(report: SizeReport) -> str:
    rows = ["| Target | Layers | Build, first | Build, last | Critical / High |", "|:--|--:|--:|--:|--:|"]
    for target in report.targets[:_ROWS]:
        now = target.now
        first = wording.seconds(target.build_before)
        last = wording.seconds(now.build_seconds)
        name = f"{quote(target.key[1], limit=60)} · {quote(target.key[2])}"
        rows.append(f"| {name} | {now.layers} | {first} | {last} | {now.critical} / {now.high} |")
    return "\n".join(rows)
