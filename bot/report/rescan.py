"""A rescan in a few lines of plain text, for chat and terminal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.model.run import Rescan
from bot.model.vulnerability import Cause, Comparison, Finding, Severity
from bot.report import wording
from bot.report.quote import visible

_SHOWN: Final = 5
_WIDTH: Final = 80


def summary(result: Rescan) -> str:
    """What is known now, what changed since the last scan and why, and what was scanned."""
    updated = wording.day(result.scan.database.updated_at)
    foot = f"{visible(result.how)} · database of {updated} · {wording.seconds(result.seconds)}"
    return "\n".join([f"{visible(result.subject)}: {_known(result)}", *_changes(result), foot])


def _known(result: Rescan) -> str:
    if not result.scan.supported:
        return "vulnerabilities unknown: the scanner has no data for this distribution"
    return _counts(result.scan.counts()) or "no known vulnerabilities"


def _counts(counts: dict[Severity, int] | Counter[Severity]) -> str:
    return ", ".join(f"{counts[severity]} {severity.lower()}" for severity in Severity if counts[severity])


def _changes(result: Rescan) -> Sequence[str]:
    if result.last is None:
        return ["First scan: nothing to compare with."]
    if result.comparison is None:
        return ["No comparison with the last scan: its vulnerabilities or these are unknown."]
    pairs = (("Fixed", result.comparison.fixed), ("New", result.comparison.introduced))
    changes = [_change(word, findings) for word, findings in pairs if findings]
    return changes or [_nothing(result.comparison)]


def _nothing(comparison: Comparison) -> str:
    if not comparison.packages:
        return "Nothing changed since the last scan."
    changed = wording.count(len(comparison.packages), "package")
    return f"No vulnerability came or went since the last scan; {changed} changed."


def _change(word: str, findings: Sequence[Finding]) -> str:
    """One line, the worst first; the cause is the image or the database, for no Dockerfile is at hand."""
    counts = Counter(one.vulnerability.severity for one in findings)
    shown = ", ".join(_finding(one) for one in findings[:_SHOWN])
    more = f", and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    return f"{word} since the last scan: {_counts(counts)}: {shown}{more}"


def _finding(found: Finding) -> str:
    cause = "database" if found.cause is Cause.DATABASE else "image"
    package = visible(found.vulnerability.package.name, limit=_WIDTH)
    return f"{visible(found.vulnerability.id, limit=_WIDTH)} ({package}, {cause})"
