"""What a person reads in the terminal: the result of a run, and tables of uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.model.checked import Checked
from bot.model.published import Published
from bot.model.run import Decided, PublicationKind, RunResult
from bot.model.update import Current, Decision, Failed, Skipped, Update, Waiting, outcome_reason
from bot.model.use import Use
from bot.report import published as shipping
from bot.report import wording
from bot.report.quote import visible
from bot.report.run_rows import MARK_STYLES, Row, rows
from bot.report.screen import Screen, line, short

_COLUMNS: Final = ("TARGET", "BASE", "CRIT/HIGH", "SIZE", "HEALTH")
_OUTCOMES: Final = {
    "current": "green",
    "update": "cyan",
    "waiting": "yellow",
    "abandoned": "yellow",
    "skipped": "dim",
    "failed": "red",
}
_SHOWN: Final = 5  # of uses with the same outcome, before the rest is counted
_GAP: Final = "  "
_ADDRESS: Final = ("https://", "http://", "/")
_NARROWEST: Final = 20  # columns of a last column, where a terminal is very narrow


def render(result: RunResult, *, width: int = 100, color: bool = False) -> str:
    """The summary of a run, as lines of text for a terminal of `width` columns."""
    screen = Screen(width, color)
    console = screen.console
    console.print(line(_header(result), "bold"))
    for item, indent in (*_drawn(rows(result), width), *_decided_lines(result.decided), *_failures(result)):
        _print(console, item, indent)
    _print_published(console, result.published)
    console.print(Padding(line(_foot(result), "bold"), (0, 0, 0, 2)))
    for note in result.notes:
        console.print(Padding(line(visible(note, limit=300), "dim"), (0, 0, 0, 2)))
    return screen.text()


def _print(console: Console, item: Text, indent: int) -> None:
    """A paragraph; an address that is too long for a line is left whole, so that it can be copied."""
    addresses = [word for word in item.plain.split() if word.startswith(_ADDRESS)]
    if any(cell_len(one) > console.width - indent for one in addresses):
        console.print(Text(" " * indent).append_text(item), soft_wrap=True)
    else:
        console.print(Padding(item, (0, 0, 0, indent)))


def decisions_table(checked: Checked, *, width: int = 100, color: bool = False) -> str:
    """The table of `refit check`: each use with its outcome and the reason; then what is published."""
    table = _table("PLACE", "IMAGE", "OUTCOME", "WHAT AND WHY")
    for decision in checked.decisions:
        word = decision.outcome.word
        table.add_row(
            _place(decision.use), line(short(decision.use)), line(word, _OUTCOMES[word]), line(_why(decision))
        )
    counts: Counter[str] = Counter(decision.outcome.word for decision in checked.decisions)
    parts = [f"{counts[word]} {word}" for word in _OUTCOMES if counts[word]] or ["no uses"]
    parts += [wording.requests(checked.requests), *_quota(checked.quota)]
    summary = " · ".join(part for part in parts if part)
    return _page(table, summary, width, checked.published, color=color)


def _page(table: Table, summary: str, width: int, published: Sequence[Published] = (), *, color: bool) -> str:
    screen = Screen(width, color)
    if table.row_count:
        _fit(table, width)
        screen.console.print(table)
    _print_published(screen.console, published)
    screen.console.print(line(summary, "bold"))
    return screen.text()


def _print_published(console: Console, published: Sequence[Published]) -> None:
    for mark, what, how in shipping.lines(published):
        head = Text.assemble((f"{mark} ", MARK_STYLES.get(mark, "dim")), f"published {what}")
        console.print(Padding(head, (0, 0, 0, 2)))
        if how:
            console.print(Padding(line(how, "dim"), (0, 0, 0, 4)))


def _fit(table: Table, width: int) -> None:
    """Give every column its width: places and images are folded, and what and why gets what is left."""
    limits = {"PLACE": width // 4, "IMAGE": width // 3}
    left = width
    for column in table.columns:
        longest = max(len(str(cell)) for cell in (column.header, *column.cells))
        limit = (
            max(_NARROWEST, left) if column is table.columns[-1] else limits.get(str(column.header), longest)
        )
        column.width = min(longest, limit)
        left -= column.width + len(_GAP)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("KIND", "OUTCOME"))
    return table


def _place(use: Use) -> Text:
    return line(f"{visible(use.file)}:{use.line}")


def _why(decision: Decision) -> str:
    outcome = decision.outcome
    if isinstance(outcome, Current):
        return visible(outcome.note)
    reason = visible(outcome_reason(outcome) or "")
    return f"{_goal(outcome, decision.use)}: {reason}" if isinstance(outcome, Update) else reason


def _goal(update: Update, use: Use) -> str:
    """What it becomes: the tag where that changes, and the digest."""
    name, _, digest = str(update.to).partition("@")
    same = name == use.unpinned
    return f"{update.kind.value} to {'' if same else visible(name, limit=80)}{_at(digest)}"


def _at(digest: str) -> str:
    return f"@{wording.short_digest(digest)}" if digest else ""


def _drawn(table: Sequence[Row], width: int) -> Iterable[tuple[Text, int]]:
    """Rows in columns; what is told below a row starts under its base."""
    if not table:
        return
    widths = [max(len(name), *(len(row.cells[i]) for row in table)) for i, name in enumerate(_COLUMNS)]
    widths[1] = max(12, min(widths[1], width - 4 - sum(widths) + widths[1] - len(_GAP) * 4))
    yield line(_columns(_COLUMNS, widths), "dim"), 4
    for row in table:
        text = Text.assemble((f"{row.mark or ' '} ", MARK_STYLES[row.mark]), _columns(row.cells, widths))
        yield text, 2
        for detail in row.details:
            yield line(detail, "dim"), 4 + widths[0] + len(_GAP)


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    cut = [c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(cells, widths, strict=True)]
    return _GAP.join(c.ljust(w) for c, w in zip(cut, widths, strict=True)).rstrip()


def _header(result: RunResult) -> str:
    uses = [use for one in result.updates for use in one.planned.uses] + [d.use for d in result.decided]
    projects = {one.planned.project.name for one in result.updates} | {d.project for d in result.decided}
    where = visible(next(iter(projects))) if len(projects) == 1 else wording.count(len(projects), "project")
    files = wording.count(len({use.file for use in uses}), "file")
    dry = " (dry run: nothing was written)" if result.dry_run else ""
    parts = ["refit run", result.cycle.id, where, f"{wording.count(len(uses), 'use')} in {files}"]
    return " · ".join([*parts, wording.seconds(result.seconds).replace(" ", "")]) + dry


def _decided_lines(decided: Sequence[Decided]) -> Iterable[tuple[Text, int]]:
    """Current ones counted; the others with their reasons, many of a kind only counted."""
    current = sum(isinstance(one.outcome, Current) for one in decided)
    if current:
        yield line(f"· {current} current", "dim"), 2
    for kind in (Waiting, Skipped):
        yield from _listed([one for one in decided if isinstance(one.outcome, kind)])


def _listed(decided: Sequence[Decided]) -> Iterable[tuple[Text, int]]:
    for one in decided[:_SHOWN]:
        reason = visible(outcome_reason(one.outcome) or "")
        place = f"{visible(one.use.file)}:{one.use.line}"
        yield line(f"· {one.outcome.word}: {place} {short(one.use)}: {reason}", "dim"), 2
    if len(decided) > _SHOWN:
        yield line(f"· and {len(decided) - _SHOWN} more {decided[0].outcome.word}", "dim"), 2


def _subject(one: Decided) -> str:
    return visible(one.target or f"{one.use.file}:{one.use.line}")


def _failures(result: RunResult) -> Iterable[tuple[Text, int]]:
    failed = [
        (_subject(one), one.outcome.error, one.outcome.hint)
        for one in result.decided
        if isinstance(one.outcome, Failed)
    ]
    for subject, error, hint in [*failed, *((p.subject, p.error, p.hint) for p in result.problems)]:
        yield line(f"✗ {visible(subject)}: {visible(error, limit=400)}", "red"), 2
        if hint:
            yield line(visible(hint, limit=400)), 4


def _foot(result: RunResult) -> str:
    """What was published, what failed, and what it took."""
    failed = len(result.problems) + sum(isinstance(one.outcome, Failed) for one in result.decided)
    parts = [
        *([] if result.dry_run else _publications(result)),
        f"{failed} failed",
        wording.requests(result.requests),
        *_quota(result.quota),
    ]
    return " · ".join(part for part in parts if part)


def _publications(result: RunResult) -> Iterable[str]:
    """Counted once, however many updates they carry."""
    carried = [one.publication for one in result.updates if one.publication]
    published = {one.url: one.kind for one in (*carried, *result.issues)}
    kinds = Counter(published.values())
    yield wording.count(kinds[PublicationKind.PULL_REQUEST], "pull request")
    if attached := kinds[PublicationKind.EVIDENCE]:
        yield f"{attached} with evidence of ours"
    yield wording.count(kinds[PublicationKind.ISSUE], "issue")


def _quota(quota: Mapping[str, str]) -> list[str]:
    return [f"{visible(host)} {visible(left)} left" for host, left in quota.items()]
