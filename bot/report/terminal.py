"""What a person reads in the terminal: the result of a run, and tables of uses."""

from __future__ import annotations

from collections import Counter, defaultdict
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
from bot.report.screen import Screen, folded, line, short

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
_NARROW: Final = 76  # columns; with fewer, a table of four columns cannot be read


def render(result: RunResult, *, width: int = 100, color: bool = False) -> str:
    """The summary of a run, as lines of text for a terminal of `width` columns."""
    screen = Screen(width, color)
    console = screen.console
    console.print(line(_header(result), "bold"))
    for item, indent in (*_drawn(rows(result), width), *_decided_lines(result.decided), *_failures(result)):
        _print(console, item, indent)
    _print_published(console, result.published)
    if not (result.updates or result.decided or result.problems):
        console.print(
            Padding(line("nothing is under care: no project here names an image", "yellow"), (0, 0, 0, 2))
        )
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
    screen = Screen(width, color)
    if width < _NARROW:
        _print_decisions(screen.console, checked.decisions)
    elif checked.decisions:
        screen.console.print(_decisions(checked.decisions, width))
    counts: Counter[str] = Counter(decision.outcome.word for decision in checked.decisions)
    parts = [f"{counts[word]} {word}" for word in _OUTCOMES if counts[word]] or ["no uses"]
    parts += [wording.requests(checked.requests), *_quota(checked.quota)]
    _print_published(screen.console, checked.published)
    screen.console.print(line(" · ".join(part for part in parts if part), "bold"))
    return screen.text()


def _print_decisions(console: Console, decisions: Sequence[Decision]) -> None:
    """Where four columns have no room: why stands below."""
    for decision in decisions:
        word = decision.outcome.word
        head = Text(f"{_place(decision.use)}  {short(decision.use)}  ").append(word, _OUTCOMES[word])
        console.print(head)
        if why := _why(decision):
            console.print(Padding(line(why), (0, 0, 0, 4)))


def _decisions(decisions: Sequence[Decision], width: int) -> Table:
    """Places and images are folded to their share, and what and why gets what is left."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("PLACE", "IMAGE", "OUTCOME", "WHAT AND WHY"):
        table.add_column(name, overflow="fold", no_wrap=name != "WHAT AND WHY")
    for decision in decisions:
        word = decision.outcome.word
        table.add_row(
            "\n".join(folded(_place(decision.use), width // 4)),
            "\n".join(folded(short(decision.use), width // 3)),
            line(word, _OUTCOMES[word]),
            line(_why(decision)),
        )
    return table


def _print_published(console: Console, published: Sequence[Published]) -> None:
    for mark, what, how in shipping.lines(published):
        head = Text.assemble((f"{mark} ", MARK_STYLES.get(mark, "dim")), f"published {what}")
        console.print(Padding(head, (0, 0, 0, 2)))
        if how:
            console.print(Padding(line(how, "dim"), (0, 0, 0, 4)))


def _place(use: Use) -> str:
    return f"{visible(use.file)}:{use.line}"


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
    """Rows in columns; what is told below a row starts under its base, or with it where that has no room."""
    if not table:
        return
    widths = [max(len(name), *(len(row.cells[i]) for row in table)) for i, name in enumerate(_COLUMNS)]
    columns, indent = [*range(len(_COLUMNS))], 4 + widths[0] + len(_GAP)
    if crowded := 4 + sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        columns, indent = [0, 2, 3, 4], 6
    yield line(_columns(_COLUMNS, widths, columns), "dim"), 4
    for row in table:
        yield (
            Text.assemble(
                (f"{row.mark or ' '} ", MARK_STYLES[row.mark]), _columns(row.cells, widths, columns)
            ),
            2,
        )
        for detail in (row.cells[1], *row.details) if crowded else row.details:
            yield line(detail, "dim"), indent


def _columns(cells: Sequence[str], widths: Sequence[int], shown: Sequence[int]) -> str:
    return _GAP.join(cells[at].ljust(widths[at]) for at in shown).rstrip()


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
    subjects: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, error, hint in [*failed, *((p.subject, p.error, p.hint) for p in result.problems)]:
        subjects[error, hint].append(visible(subject))
    for (error, hint), of in subjects.items():  # a registry that is down is told once
        yield line(f"✗ {wording.few(of)}: {visible(error, limit=400)}", "red"), 2
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
