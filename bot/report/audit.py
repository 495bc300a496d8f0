"""What an audit found, for people: in the terminal and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bot.model.finding import Audit, AuditRule, Finding, RuleSeverity
from bot.report import wording
from bot.report.quote import code, quote, spans, visible
from bot.report.screen import Screen, line

_MARKS: Final = {RuleSeverity.ERROR: "✗", RuleSeverity.WARNING: "!", RuleSeverity.NOTE: "·"}
_STYLES: Final = {RuleSeverity.ERROR: "bold red", RuleSeverity.WARNING: "yellow", RuleSeverity.NOTE: "cyan"}
_WORDS: Final = {RuleSeverity.ERROR: "error", RuleSeverity.WARNING: "warning", RuleSeverity.NOTE: "note"}
_FIX_COLUMN: Final = 15


def terminal(audit: Audit, *, width: int, color: bool) -> str:
    """Findings grouped by file, each on a line with its fix below, and what they add up to."""
    screen = Screen(width, color)
    console = screen.console
    for subject, found in groupby(audit.findings, key=lambda one: one.subject):
        console.print(Text(visible(subject), style="bold underline"), soft_wrap=True)
        told = set[str]()
        for finding in found:
            _finding(console, finding, width, told)
        console.print()
    _endings(console, audit)
    return screen.text()


def _finding(console: Console, finding: Finding, width: int, told: set[str]) -> None:
    """A finding, and below it the fix, which is told once in a file."""
    style = _STYLES[finding.severity]
    place = str(finding.line) if finding.line else ""
    head = Text.assemble(
        (f"{place:>5} ", "dim"),
        (_MARKS[finding.severity], style),
        " ",
        (f"{visible(finding.rule, limit=8):<6} ", style),
    )
    _hanging(console, head, visible(finding.message, limit=300), width, "")
    if finding.fix and (finding.fix not in told or finding.saves):
        told.add(finding.fix)
        saved = f"  saves {wording.megabytes(finding.saves)}" if finding.saves else ""
        arrow = Text(" " * (_FIX_COLUMN - 2) + "→ ", style="dim")
        _hanging(console, arrow, visible(finding.fix, limit=300) + saved, width, "dim")


def _hanging(console: Console, head: Text, text: str, width: int, style: str) -> None:
    """A paragraph whose further lines begin where its first words do."""
    room = max(20, width - _FIX_COLUMN)
    for number, part in enumerate(_lines(text, room)):
        start = head if number == 0 else Text(" " * _FIX_COLUMN)
        console.print(Text.assemble(start, (part, style)), soft_wrap=True)


def _lines(text: str, room: int) -> Iterator[str]:
    row = ""
    for word in text.split(" "):
        if row and cell_len(f"{row} {word}") > room:
            yield row
            row = word
        else:
            row = f"{row} {word}" if row else word
    yield row


def _endings(console: Console, audit: Audit) -> None:
    style = _STYLES[_worst(audit.findings)] if audit.findings else "bold green"
    console.print(line(summary(audit), style), soft_wrap=True)
    aside = _aside(audit)
    if aside:
        console.print(line(aside, "dim"), soft_wrap=True)
    for note in audit.notes:
        console.print(line(f"· {visible(note, limit=300)}", "dim"), soft_wrap=True)
    if audit.findings:
        first = audit.findings[0].rule
        console.print(line(f"Why, with examples: refit audit --explain {first}", "dim"), soft_wrap=True)


def _worst(findings: Iterable[Finding]) -> RuleSeverity:
    return min((one.severity for one in findings), key=lambda severity: severity.order)


def summary(audit: Audit) -> str:
    """One sentence: how many findings of what weight, and what they would save."""
    looked = wording.count(len(audit.subjects), "file or image", "files or images")
    if not audit.findings:
        return f"No finding in {looked}." if audit.subjects else "There was nothing to audit."
    counted = Counter(one.severity for one in audit.findings)
    parts = [wording.count(counted[one], _WORDS[one]) for one in RuleSeverity if counted[one]]
    saves = f"; at least {wording.megabytes(audit.saves)} to save" if audit.saves else ""
    return f"{', '.join(parts)} in {looked}{saves}."


def _aside(audit: Audit) -> str:
    parts = []
    if audit.known:
        parts.append(f"{wording.count(len(audit.known), 'finding')} in the baseline")
    if audit.ignored:
        parts.append(f"{wording.count(len(audit.ignored), 'finding')} answered by a comment")
    return f"Not shown: {', '.join(parts)}." if parts else ""


def explanation(rule: AuditRule, *, width: int, color: bool) -> str:
    """All that a rule says about itself."""
    screen = Screen(width, color)
    console = screen.console
    title = Text.assemble(
        (rule.id, "bold"), " ", (rule.name, "bold"), (f"  {rule.severity}", _STYLES[rule.severity])
    )
    console.print(title, soft_wrap=True)
    for name, text in (("What", rule.what), ("Why", rule.why), ("Fix", rule.fix), ("Guide", rule.section)):
        for number, part in enumerate(_lines(text, max(20, width - 8))):
            console.print(Text.assemble((f"{name if number == 0 else '':<8}", "bold"), part), soft_wrap=True)
    for name, example, style in (("Bad", rule.bad, "red"), ("Good", rule.good, "green")):
        console.print()
        console.print(line(name, f"bold {style}"))
        for row in example.splitlines():
            console.print(line(f"    {row}"), soft_wrap=True)
    return screen.text()


def listing(rules: Mapping[str, AuditRule], left_out: Mapping[str, str], *, width: int, color: bool) -> str:
    """Every rule on a line, and what of the guide no rule can check."""
    screen = Screen(width, color)
    console = screen.console
    for rule in rules.values():
        mark = (f"{rule.severity:<8}", _STYLES[rule.severity])
        console.print(Text.assemble((f"{rule.id}  ", "bold"), mark, rule.name), soft_wrap=True)
    console.print()
    console.print(line("Not checkable from files or images:", "bold"))
    for item, reason in left_out.items():
        console.print(line(f"  {item}: {reason}"), soft_wrap=True)
    return screen.text()


def markdown(audit: Audit) -> str:
    """The findings as one table for each file; what comes from outside is quoted."""
    parts = [f"**{quote(summary(audit), limit=400)}**", ""]
    for subject, found in groupby(audit.findings, key=lambda one: one.subject):
        parts += [f"### {code(subject)}", "", "| Line | Rule | Finding | Fix |", "|--:|:--|:--|:--|"]
        parts += [_row(finding) for finding in found]
        parts.append("")
    if aside := _aside(audit):
        parts += [aside, ""]
    parts += [f"- {quote(f'{one.subject}: {one.error}', limit=400)}" for one in audit.problems]
    return "\n".join(parts).rstrip() + "\n"


def _row(finding: Finding) -> str:
    place = str(finding.line) if finding.line else wording.NONE
    saved = f" (saves {wording.megabytes(finding.saves)})" if finding.saves else ""
    mark = _MARKS[finding.severity].replace("!", "⚠")
    cells = (
        place,
        f"{mark}\N{NO-BREAK SPACE}{finding.rule}",
        spans(finding.message, limit=300),
        finding.fix.replace("|", "\\|") + saved,
    )
    return f"| {' | '.join(cells)} |"
