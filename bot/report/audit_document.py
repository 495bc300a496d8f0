"""The JSON document of `refit audit`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.model.finding import Audit, Finding, RuleSeverity, fingerprints

Level = Literal["error", "warning", "note"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindingShape(_Shape):
    """One finding; `line` is 0 for a whole file or image, `saves` is in bytes, `id` outlives moved lines."""

    rule: str
    severity: Level
    subject: str
    line: int
    message: str
    fix: str
    saves: int | None
    id: str


class IgnoredShape(_Shape):
    """A finding that a comment answers."""

    rule: str
    subject: str
    line: int
    reason: str


class ProblemShape(_Shape):
    """What could not be audited."""

    subject: str
    error: str
    hint: str


class AuditDocument(_Shape):
    """What an audit found; `known` counts what the baseline holds, `saves` is in bytes, of all fixes."""

    findings: list[FindingShape]
    ignored: list[IgnoredShape]
    known: int
    counts: dict[Level, int]
    saves: int
    subjects: list[str]
    failed: list[ProblemShape]
    notes: list[str]


def document(audit: Audit) -> dict[str, Any]:
    """The document for an audit."""
    counts = {one.value: sum(finding.severity is one for finding in audit.findings) for one in RuleSeverity}
    made = AuditDocument.model_validate(
        {
            "findings": [_finding(name, one) for name, one in fingerprints(audit.findings).items()],
            "ignored": [
                {
                    "rule": one.finding.rule,
                    "subject": one.finding.subject,
                    "line": one.finding.line,
                    "reason": one.reason,
                }
                for one in audit.ignored
            ],
            "known": len(audit.known),
            "counts": counts,
            "saves": audit.saves,
            "subjects": list(audit.subjects),
            "failed": [{"subject": p.subject, "error": p.error, "hint": p.hint} for p in audit.problems],
            "notes": list(audit.notes),
        }
    )
    return made.model_dump(mode="json")


def _finding(name: str, finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "line": finding.line,
        "message": finding.message,
        "fix": finding.fix,
        "saves": finding.saves,
        "id": name,
    }
