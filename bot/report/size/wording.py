"""Sentences of the size report that Markdown and HTML share: plain text."""

from __future__ import annotations

from typing import Final

from bot.report import wording
from bot.report.size.advice import Advice
from bot.report.size.values import SizeReport

METHOD: Final = (
    "Sizes are unpacked bytes as Refit counts them, and MB = 10⁶ bytes; pushed is what a registry stores. "
    "Wasted is what later layers replace or delete. Times are of cold builds, first and last of the quarter."
)
EXPLAIN: Final = "refit audit --explain RULE"
NOTHING_TO_DO: Final = "Nothing: no budget is exceeded, nothing grew, nothing waits for you."


def heading(report: SizeReport) -> str:
    """`2026Q3`, `2026Q4 so far`."""
    return f"{report.quarter}{' so far' if report.so_far else ''}"


def summary(report: SizeReport) -> str:
    """The quarter in one or two sentences, with its name."""
    return f"{heading(report)}: {told(report)}"


def told(report: SizeReport) -> str:
    """The same without the name of the quarter."""
    if not report.targets:
        return "nothing was measured, so there is nothing to compare."
    images = wording.count(len(report.targets), "image")
    text = f"{images}, {wording.megabytes(report.size)} together"
    if report.first:
        return f"{text}. First quarter: no trend yet."
    return f"{text}; {_trend(report)}."


def _trend(report: SizeReport) -> str:
    change, begin = report.change, report.begin
    grown = f"{wording.megabytes_change(change)} ({wording.percent_change(begin, begin + change)})"
    new = sum(target.start is None for target in report.targets)
    added = f"; {new} new, with no trend yet" if new else ""
    gone = f"; {len(report.gone)} no longer there" if report.gone else ""
    return f"{grown} over the quarter{added}{gone}"


def todo_start(item: Advice) -> str:
    """How an advice begins, with a capital."""
    return item.before[:1].upper() + item.before[1:]
