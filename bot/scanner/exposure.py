"""Secrets, mistakes in the image's config and hidden findings, from Trivy's JSON report. Pure.

Trivy quotes the lines around a secret, and of a mistake in ENV the secret itself: none of that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.model.exposure import Ignored, Misconfiguration, Secret
from bot.model.severity import Severity

_Json = Mapping[str, Any]


def severity(raw: _Json) -> Severity:
    """A finding's severity; a word that is none of the five is unknown."""
    word = raw.get("Severity", "")
    return Severity(word) if word in Severity.__members__ else Severity.UNKNOWN


def secrets(report: _Json) -> tuple[Secret, ...]:
    """Where secrets lie, worst first."""
    own = report.get("ArtifactName", "")
    found = {
        _secret(raw, "" if result.get("Target") == own else str(result.get("Target", "")))
        for result in report.get("Results") or ()
        for raw in result.get("Secrets") or ()
    }
    return tuple(sorted(found, key=lambda one: (one.severity.rank, one.path, one.line, one.rule)))


def _secret(raw: _Json, path: str) -> Secret:
    """In the image config, a line is one of a rendering that nobody sees."""
    return Secret(
        rule=str(raw["RuleID"]),
        title=str(raw.get("Title", "")),
        severity=severity(raw),
        path=path,
        line=int(raw.get("StartLine") or 0) if path else 0,
        diff_id=str((raw.get("Layer") or {}).get("DiffID", "")) if path else "",
    )


def misconfigurations(report: _Json) -> tuple[Misconfiguration, ...]:
    """Checks of the image's config that failed, worst first."""
    found = {
        Misconfiguration(
            id=str(raw["ID"]),
            title=str(raw.get("Title", "")),
            severity=severity(raw),
            message=str(raw.get("Message", "")),
            resolution=str(raw.get("Resolution", "")),
        )
        for result in report.get("Results") or ()
        for raw in result.get("Misconfigurations") or ()
        if raw.get("Status", "FAIL") == "FAIL"
    }
    return tuple(sorted(found, key=lambda one: (one.severity.rank, one.id, one.message)))


def ignored(results: Sequence[_Json]) -> tuple[Ignored, ...]:
    """Findings that the ignore file or a VEX document hid, by name."""
    found = {_ignored(raw) for raw in _modified(results)}
    return tuple(sorted(found, key=lambda one: (one.id, one.package, one.status, one.source)))


def _modified(results: Sequence[_Json]) -> Iterable[_Json]:
    return (raw for result in results for raw in result.get("ExperimentalModifiedFindings") or ())


def _ignored(raw: _Json) -> Ignored:
    finding = raw["Finding"]
    name = finding.get("VulnerabilityID") or finding.get("ID") or finding.get("RuleID") or ""
    return Ignored(
        id=str(name),
        package=str(finding.get("PkgName", "")),
        status=str(raw.get("Status", "ignored")),
        source=str(raw.get("Source", "")),
        reason=str(raw.get("Statement", "")),
    )
