"""Findings in a rule's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.model.finding import AuditRule, Finding


def found(  # noqa: PLR0913 - the parts of a finding, by keyword
    rule: AuditRule,
    subject: str,
    line: int,
    message: str,
    *,
    fix: str = "",
    context: str = "",
    saves: int | None = None,
) -> Finding:
    """A finding of a rule, with the rule's severity; the fix is the rule's own where none is given."""
    return Finding(rule.id, rule.severity, subject, line, message, fix or rule.fix, context, saves)


def once_a_line(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first finding of each line: stages that stand on each other have their steps in common."""
    seen: set[tuple[str, int]] = set()
    for finding in findings:
        place = finding.subject, finding.line
        if place not in seen:
            seen.add(place)
            yield finding
