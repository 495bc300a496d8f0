"""The size report as an issue: one sentence, what to do, a table, charts; honest where data is thin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.report import wording
from bot.report.quote import code, quote
from bot.report.size import mermaid, tables
from bot.report.size.advice import Advice, advice
from bot.report.size.tables import Table
from bot.report.size.values import Grown, Link, SizeReport, TargetSize
from bot.report.size.wording import EXPLAIN, METHOD, NOTHING_TO_DO, heading, summary, todo_start

LIMIT: Final = 65_536
"""Most characters of an issue's body (GitHub's)."""
_CHARTS: Final = 6
_ROWS: Final = (200, 50, 10)  # a body that is too long is made again with fewer rows
_LIST: Final = 50
_GROWN: Final = 5


def title(report: SizeReport) -> str:
    """`Size report 2026Q3`, `Size report 2026Q4 so far`."""
    return f"Size report {heading(report)}"


def markdown(report: SizeReport, *, marker: str = "") -> str:
    """The body of the issue; within GitHub's limit for any number of targets."""
    for rows in _ROWS:
        body = _body(report, rows, marker)
        if len(body) <= LIMIT:
            return body
    return "\n\n".join(part for part in (quote(summary(report)), _todo(report), marker) if part) + "\n"


def _body(report: SizeReport, rows: int, marker: str) -> str:
    parts = [summary(report)]
    if report.targets:
        parts += ["### What to do next", _todo(report)]
        parts += ["### Targets", _table(tables.targets(report, rows), bold="over ")]
        parts += list(_charts(report))
        parts += list(_growth(report.targets))
        measured = tables.measured(report, rows)
        parts += ["### Layers, waste and times", _table(measured)] if measured else []
    parts += list(_around(report, rows))
    return "\n\n".join([*parts, METHOD, marker] if marker else [*parts, METHOD]) + "\n"


def _todo(report: SizeReport) -> str:
    items = advice(report)
    return "\n".join(f"{n}. {_advice(item)}" for n, item in enumerate(items, start=1)) or NOTHING_TO_DO


def _advice(item: Advice) -> str:
    return wording.sentence(f"{todo_start(item)} {code(item.subject, limit=100)} {quote(item.after)}".strip())


def _table(table: Table, *, bold: str = "\0") -> str:
    """A table with its texts made harmless; a cell that begins with `bold` stands out."""
    marks = [":--" if column in table.words else "--:" for column in range(len(table.head))]
    lines = [f"| {' | '.join(table.head)} |", f"|{'|'.join(marks)}|"]
    for row in table.rows:
        cells = [quote(cell) if column in table.outside else cell for column, cell in enumerate(row)]
        cells = [f"**{cell}**" if cell.startswith(bold) else cell for cell in cells]
        lines.append(f"| {' | '.join(cells)} |")
    foot = f"\n\n… and {table.left_out} smaller ones, not shown." if table.left_out > 0 else ""
    return "\n".join(lines) + foot


def _charts(report: SizeReport) -> Iterable[str]:
    """All together, then one chart a target that has a history, the largest change first."""
    moving = [target for target in report.targets if len(target.history) > 1]
    moving.sort(key=lambda target: -abs(target.change or 0))
    if not moving:
        return
    yield "### Over time"
    if len(report.targets) > 1:
        yield mermaid.of_total(report.total)
    for target in moving[:_CHARTS]:
        yield mermaid.of_target(target)
    more = f" Charts of {len(moving) - _CHARTS} more targets are left out." if len(moving) > _CHARTS else ""
    yield f"A level line is the budget.{more}"


def _growth(targets: Sequence[TargetSize]) -> Iterable[str]:
    """Which layers, paths and packages of the grown images grew."""
    grown = sorted((one for one in targets if one.growth), key=lambda one: -(one.change or 0))
    if grown:
        yield "### Where images grew"
    for target in grown[:_GROWN]:
        yield f"**{quote(target.key[1])}**, {wording.megabytes_change(target.change or 0)}"
        yield _grown(target)


def _grown(target: TargetSize) -> str:
    growth = target.growth
    if growth is None:
        return ""
    lines = [_grown_line("layer", one) for one in growth.layers]
    lines += [_grown_line("path", one) for one in growth.paths]
    if growth.packages:
        lines.append(f"- packages: {', '.join(quote(text, limit=80) for text in growth.packages)}")
    return "\n".join(lines) or "Neither layers nor paths were measured on both days."


def _grown_line(what: str, one: Grown) -> str:
    then = wording.megabytes(one.before) if one.before else "new"
    sizes = f"{wording.megabytes_change(one.more)} ({then} → {wording.megabytes(one.after)})"
    return f"- {what} {code(wording.instruction(one.name), limit=120)}: {sizes}"


def _around(report: SizeReport, rows: int) -> Iterable[str]:
    """Everything that is open, silenced, stuck or gone; and the guide's findings."""
    around = report.around
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("Open updates", map(_link, around.updates)),
        ("Merged, not shipped", map(_quoted, around.unshipped)),
        ("Waiting", map(_quoted, around.waiting)),
        ("Ignored", map(_quoted, around.ignored)),
        ("Abandoned", map(_quoted, around.abandoned)),
        ("Failed", map(_quoted, around.failed)),
        ("No longer there", (_quoted(f"{g.key[1]}: {wording.megabytes(g.size)}") for g in report.gone)),
    )
    for name, items in lists:
        shown = list(items)
        if shown:
            more = [f"- … and {len(shown) - _LIST} more"] if len(shown) > _LIST else []
            yield f"### {name}"
            yield "\n".join([*(f"- {item}" for item in shown[:_LIST]), *more])
    if around.audit:
        yield "### What the guide's audit finds"
        yield _table(tables.audit(around.audit, min(rows, 25)))
        yield f"`{EXPLAIN}` tells why, and how to mend it."


def _quoted(text: str) -> str:
    return quote(text, limit=300)


def _link(link: Link) -> str:
    return f"{_quoted(link.text)}: {link.url}" if link.url else _quoted(link.text)
