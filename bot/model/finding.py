"""Findings: what an audit by the rules of the guide says about files and images."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.model.run import Problem


class RuleSeverity(StrEnum):
    """How much a finding matters, in the words of SARIF (`level`), the worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def order(self) -> int:
        """0 is the worst."""
        return list(RuleSeverity).index(self)


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule of the audit, as `refit audit --explain` shows it.

    Attributes:
        id: `RF101`; stable for ever. RF1… read Dockerfiles, RF2… nginx configurations, RF3… images.
        name: A few words, fit for a heading: `Run as a non-root user`.
        severity: How much a finding matters.
        section: The guide's section that it comes from; where the guide itself is wrong, that too.
        what: What is looked for; a sentence.
        why: Why it matters; a sentence or two.
        fix: What to do; a sentence.
        bad: An example with the fault.
        good: The same without it.
    """

    id: str
    name: str
    severity: RuleSeverity
    section: str
    what: str
    why: str
    fix: str
    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found in one place.

    Attributes:
        rule: The rule's id: `RF110`, or hadolint's own: `DL3008`.
        severity: How much it matters.
        subject: What it is about: the path of a file, or the name of an image.
        line: 1-based line in the file; 0 for a file or an image as a whole.
        message: What was found here; text from outside may be in it.
        fix: What to do; our own words, never text from outside. Empty where another tool says no more.
        context: The text that is judged (an instruction, a directive, a path in the image), which names
            the finding also when lines move.
        saves: Bytes that the fix takes off the image; None where that is not known, or not its point.
    """

    rule: str
    severity: RuleSeverity
    subject: str
    line: int
    message: str
    fix: str = ""
    context: str = ""
    saves: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a comment beside it answers: `# refit: ignore=RF110 reason`."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What one audit found.

    Attributes:
        findings: What is open, by subject and line.
        ignored: What comments answer.
        known: What the baseline file held already.
        subjects: Every file and image that was audited, sorted.
        problems: What could not be audited.
        notes: What was left out on purpose, in words: a tool that is not installed.
    """

    findings: tuple[Finding, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    known: tuple[Finding, ...] = ()
    subjects: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def saves(self) -> int:
        """Bytes that all fixes together take off, as far as it is known."""
        return sum(finding.saves or 0 for finding in self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By subject, line, severity and rule; what was found twice is there once."""
    return tuple(sorted(set(findings), key=_place))


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.subject, finding.line, finding.severity.order, finding.rule, finding.message


def fingerprints(findings: Iterable[Finding]) -> dict[str, Finding]:
    """A name for each finding that stays the same when lines move: rule, subject, context, and its turn."""
    turns: Counter[tuple[str, str, str]] = Counter()
    named: dict[str, Finding] = {}
    for finding in findings:
        what = (finding.rule, finding.subject, " ".join(finding.context.split()))
        text = "\0".join((*what, str(turns[what])))
        named[hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:20]] = finding
        turns[what] += 1
    return named
