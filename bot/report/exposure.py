"""Folded sections on what a scan found beside vulnerabilities, what it hid, and what is kept of it. Pure.

A secret is told by its rule and its place; the secret itself never comes this far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from bot.model.artifact import ArtifactKind
from bot.model.exposure import Ignored, Misconfiguration, Secret
from bot.model.severity import Severity
from bot.model.vulnerability import Scan
from bot.report import wording
from bot.report.quote import code, quote, vulnerability
from bot.report.section import Section

_NAMES: Final = {ArtifactKind.SBOM: "SBOM (CycloneDX)", ArtifactKind.SARIF: "report (SARIF)"}
_STATUSES: Final = {
    "ignored": "by the ignore file",
    "not_affected": "by VEX: not affected",
    "fixed": "by VEX: fixed",
}


def exposures(scan: Scan) -> Iterable[Section]:
    """Secrets and mistakes of the new image, and what was hidden; nothing where there is nothing."""
    if scan.secrets:
        head = "They are in the image for everybody who can pull it: revoke them, then build without them."
        summary = f"Secrets in the new image: {_counts(scan.secrets)}"
        yield Section(summary, tuple(map(_secret, scan.secrets)), head=head)
    if scan.misconfigurations:
        summary = f"Config of the new image: {_counts(scan.misconfigurations)}"
        yield Section(summary, tuple(map(_misconfiguration, scan.misconfigurations)))
    if scan.ignored:
        summary = f"Hidden on request: {wording.count(len(scan.ignored), 'finding')}"
        yield Section(summary, tuple(map(_ignored, scan.ignored)))


def kept(scan: Scan) -> str:
    """The documents kept of a scan, linked where somebody serves them; empty where there are none."""
    names = [
        f"[{_NAMES[one.kind]}]({one.url})"
        if one.url
        else f"{_NAMES[one.kind]} {code(wording.short_digest(one.digest))}"
        for one in scan.artifacts
    ]
    return f"; kept: {', '.join(names)}" if names else ""


def _counts(found: Sequence[Secret | Misconfiguration]) -> str:
    by = Counter(one.severity for one in found)
    return wording.severities({severity: by[severity] for severity in Severity})


def _secret(found: Secret) -> str:
    where = code(f"{found.path}:{found.line}" if found.line else found.path) if found.path else ""
    place = where or "the image's own config (ENV or a build step)"
    return f"- {wording.weight(found.severity)} {quote(found.title or found.rule)} in {place}"


def _misconfiguration(found: Misconfiguration) -> str:
    what = quote(wording.sentence(found.message or found.title))
    how = f" {quote(wording.sentence(found.resolution))}" if found.resolution else ""
    return f"- {wording.weight(found.severity)} {code(found.id)}: {what}{how}"


def _ignored(found: Ignored) -> str:
    package = f" in {code(found.package)}" if found.package else ""
    why = _STATUSES.get(found.status, quote(found.status.replace("_", " ")))
    source = f" ({code(found.source.rpartition('/')[2])})" if found.source else ""
    reason = f": {quote(found.reason)}" if found.reason else ""
    return f"- {vulnerability(found.id)}{package} {why}{source}{reason}"
