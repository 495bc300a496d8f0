"""The size report as one page for the fleet: self-contained, printable, no script, nothing fetched.

The page's own Content-Security-Policy forbids everything but the one style sheet inside it, named by
its hash (https://www.w3.org/TR/CSP3/#grammardef-hash-source), so that no text from outside can bring
anything along even if it got past the escaping.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.report import wording
from bot.report.quote import visible
from bot.report.size import svg, tables
from bot.report.size.advice import advice
from bot.report.size.values import Grown, Link, SizeReport, TargetSize
from bot.report.size.wording import EXPLAIN, METHOD, NOTHING_TO_DO, heading, todo_start, told

_HERE: Final = Path(__file__).parent
_ROWS: Final = 1000
_UNIT: Final = re.compile(r"(?<=\d) (?=(?:MB|%|s)\b|%)")
_NARROW: Final = "\u202f"  # a narrow space that no line breaks at
_CHARTS: Final = 60


@dataclass(frozen=True, slots=True)
class _Card:
    """A figure at the top: what it is, how much, and a word on it."""

    name: str
    value: str
    note: str = ""


def page(report: SizeReport) -> str:
    """The whole report as an HTML document."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            heading=heading(report),
            style=Markup(style),  # noqa: S704 - our own file, and its bytes must be those of the hash
            digest=digest,
            report=report,
            summary=told(report),
            cards=_cards(report),
            todo=[(todo_start(item), item.subject, _visible(item.after)) for item in advice(report)],
            nothing=NOTHING_TO_DO,
            explain=EXPLAIN,
            targets=tables.targets(report, _ROWS),
            measured=tables.measured(report, _ROWS),
            audit=tables.audit(report.around.audit, _ROWS),
            charts=_charts(report),
            grown=[target for target in report.targets if target.growth],
            lists=_lists(report),
            method=METHOD,
        )
    )


@cache
def _environment() -> Environment:
    """Everything that is put into the template is escaped; a name that is not there is an error."""
    made = Environment(autoescape=True, loader=FileSystemLoader(_HERE), undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters |= {
        "instruction": wording.instruction,
        "visible": _visible,
        "cell": _cell,
        "spark": _spark,
        "change": _change,
        "grown": _grown,
    }
    made.filters["day"] = wording.day
    return made


def _visible(text: str) -> str:
    return visible(text, limit=300)


def _cell(text: str) -> str:
    """A number and its unit stay on one line."""
    return _UNIT.sub(_NARROW, _visible(text))


def _spark(target: TargetSize) -> Markup:
    return Markup(svg.spark(target.history))  # noqa: S704 - numbers only


def _change(target: TargetSize) -> str:
    return wording.megabytes_change(target.change or 0)


def _grown(one: Grown) -> str:
    then = wording.megabytes(one.before) if one.before else "new"
    return f"{wording.megabytes_change(one.more)} ({then} → {wording.megabytes(one.after)})"


def _cards(report: SizeReport) -> tuple[_Card, ...]:
    targets = report.targets
    wasted = [target.now.wasted for target in targets if target.now.wasted is not None]
    budgeted = [target for target in targets if target.budget is not None]
    over = sum(target.size > (target.budget or 0) for target in budgeted)
    critical, high = sum(t.now.critical for t in targets), sum(t.now.high for t in targets)
    return (
        _Card("All images", wording.megabytes(report.size), wording.count(len(targets), "image")),
        _quarter_card(report),
        _Card("Critical / High", f"{critical} / {high}", "vulnerabilities now"),
        _Card("Over budget", str(over), f"of {len(budgeted)} with a budget"),
        _Card("Wasted", wording.megabytes(sum(wasted) if wasted else None), "replaced or deleted later"),
    )


def _quarter_card(report: SizeReport) -> _Card:
    name, begin, change = "Over the quarter", report.begin, report.change
    if report.first:
        return _Card(name, wording.NONE, "first quarter: no trend yet")
    return _Card(name, wording.megabytes_change(change), wording.percent_change(begin, begin + change))


def _charts(report: SizeReport) -> list[tuple[str, Markup]]:
    moving = sorted(
        (target for target in report.targets if len(target.history) > 1), key=lambda t: -abs(t.change or 0)
    )
    drawn = [("All images together", svg.chart(report.total))] if len(report.targets) > 1 else []
    drawn += [(tables.label(t, report), svg.chart(t.history, t.budget)) for t in moving[:_CHARTS]]
    return [(name, Markup(picture)) for name, picture in drawn if picture]  # noqa: S704 - numbers only


def _lists(report: SizeReport) -> list[tuple[str, list[Link]]]:
    around = report.around
    gone = [
        Link(f"{one.key[1]}: {wording.megabytes(one.size)}, last on {wording.day(one.at)}")
        for one in report.gone
    ]
    lists = [
        ("Open updates", list(around.updates)),
        ("Merged, not shipped", [Link(text) for text in around.unshipped]),
        ("Waiting", [Link(text) for text in around.waiting]),
        ("Ignored", [Link(text) for text in around.ignored]),
        ("Abandoned", [Link(text) for text in around.abandoned]),
        ("Failed", [Link(text) for text in around.failed]),
        ("No longer there", gone),
    ]
    return [(name, items) for name, items in lists if items]
