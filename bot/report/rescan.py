"""A rescan in a few lines of plain text, for chat and terminal. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from bot.model.run import Rescan
from bot.model.vulnerability import Cause, Comparison, Finding, Scan, Severity
from bot.report import wording
from bot.report.hidden import hidden
from bot.report.quote import visible

_SHOWN: Final = 5
_WIDTH: Final = 80
# As long as people compare: the whole of it is in the terminal's JSON and in the store.
_DIGEST: Final = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")


def summary(result: Rescan) -> str:
    """What is known now, what changed since the last scan and why, and what was scanned."""
    return "\n".join([f"{visible(result.subject)}: {known(result)}", *changes(result), foot(result)])


def foot(result: Rescan) -> str:
    """What was scanned, with which database, and how long it took."""
    updated = wording.day(result.scan.database.updated_at)
    how = _DIGEST.sub(r"\1", visible(result.how))
    return f"{how} · database of {updated} · {wording.seconds(result.seconds)}"


def known(result: Rescan) -> str:
    """What is known now, and what was left out of that on request, in one line."""
    if not result.scan.supported:
        return "vulnerabilities unknown: the scanner has no data for this distribution"
    counts = _in_words(result.scan.counts()) or "no known vulnerabilities"
    return "; ".join(part for part in (counts, hidden(result.scan.ignored)) if part)


def _in_words(counts: dict[Severity, int] | Counter[Severity]) -> str:
    return ", ".join(f"{counts[severity]} {severity.lower()}" for severity in Severity if counts[severity])


def changes(result: Rescan) -> Sequence[str]:
    """What changed since the last scan and why, or why that cannot be told."""
    if result.last is None:
        return ["First scan: nothing to compare with."]
    if result.comparison is None:
        return ["No comparison with the last scan: its vulnerabilities or these are unknown."]
    pairs = (("Fixed", result.comparison.fixed), ("New", result.comparison.introduced))
    changes = [_change(word, findings) for word, findings in pairs if findings]
    return [*changes, *_doubt(result.last, result.scan)] if changes else [_nothing(result.comparison)]


def _doubt(last: Scan, scan: Scan) -> Iterator[str]:
    """Another scanner finds other things in the same image, with the same database."""
    before, now = (one.scanner.partition(",")[0] for one in (last, scan))
    if before != now:
        told = f"{visible(before, limit=_WIDTH)}, this one by {visible(now, limit=_WIDTH)}"
        yield f"The last scan was by {told}: what is called the database's doing may be the scanner's."


def news(result: Rescan) -> Sequence[str]:
    """What came since the last scan; nothing where nothing did."""
    introduced = result.comparison.introduced if result.comparison else ()
    return [_change("New", introduced)] if introduced else []


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
    return f"{word} since the last scan: {_in_words(counts)}: {shown}{more}"


def _finding(found: Finding) -> str:
    cause = "database" if found.cause is Cause.DATABASE else "image"
    package = visible(found.vulnerability.package.name, limit=_WIDTH)
    return f"{visible(found.vulnerability.id, limit=_WIDTH)} ({package}, {cause})"
