"""An audit as SARIF 2.1.0, the format that code scanning services read.

OASIS: Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote as percent

from bot.model.finding import Audit, AuditRule, Finding, fingerprints

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_HADOLINT: Final = "https://github.com/hadolint/hadolint/wiki/"
_FINGERPRINT: Final = "refit/v1"


def sarif(audit: Audit, rules: Mapping[str, AuditRule], version: str) -> dict[str, Any]:
    """The document for an audit; what comments or the baseline answer is there too, as suppressed.

    Args:
        audit: What was found.
        rules: Every rule by its id.
        version: Our own.
    """
    every = (*audit.findings, *(one.finding for one in audit.ignored), *audit.known)
    listed = sorted({*rules, *(finding.rule for finding in every)})
    index = {identifier: number for number, identifier in enumerate(listed)}
    results = [
        *_results(audit.findings, index, ()),
        *(
            result
            for one in audit.ignored
            for result in _results([one.finding], index, [{"kind": "inSource", "justification": one.reason}])
        ),
        *_results(audit.known, index, [{"kind": "external", "justification": "It is in the baseline."}]),
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver([_descriptor(one, rules.get(one)) for one in listed], version)},
                "invocations": [_invocation(audit)],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _driver(rules: list[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "name": "refit",
        "semanticVersion": version,
        "informationUri": "https://github.com/refit-bot/refit",
        "rules": rules,
    }


def _descriptor(identifier: str, rule: AuditRule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": identifier, "helpUri": f"{_HADOLINT}{percent(identifier)}"}
    help_text = f"{rule.why}\n\nFix: {rule.fix}"
    examples = f"**Bad**\n\n```\n{rule.bad}\n```\n\n**Good**\n\n```\n{rule.good}\n```"
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.replace("-", " ").split() if word.isalpha()),
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": rule.what},
        "help": {"text": help_text, "markdown": f"{help_text}\n\n{examples}"},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"guide": rule.section},
    }


def _invocation(audit: Audit) -> dict[str, Any]:
    notes = [{"level": "error", "message": {"text": f"{one.subject}: {one.error}"}} for one in audit.problems]
    notes += [{"level": "note", "message": {"text": note}} for note in audit.notes]
    return {"executionSuccessful": not audit.problems, "toolExecutionNotifications": notes}


def _results(
    findings: Iterable[Finding], index: Mapping[str, int], suppressions: Iterable[Mapping[str, str]]
) -> list[dict[str, Any]]:
    return [
        {
            "ruleId": finding.rule,
            "ruleIndex": index[finding.rule],
            "level": finding.severity.value,
            "message": {"text": f"{finding.message}. {finding.fix}".strip().rstrip(".") + "."},
            "locations": [_location(finding)],
            "partialFingerprints": {_FINGERPRINT: name},
            **({"suppressions": [dict(one) for one in suppressions]} if suppressions else {}),
        }
        for name, finding in fingerprints(findings).items()
    ]


def _location(finding: Finding) -> dict[str, Any]:
    """A place in a file; an image has no file, and is named instead."""
    if finding.rule.startswith("RF3"):
        return {"logicalLocations": [{"fullyQualifiedName": finding.subject, "kind": "resource"}]}
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": percent(finding.subject, errors="surrogateescape")}
    }
    if finding.line:
        physical["region"] = {"startLine": finding.line}
    return {"physicalLocation": physical}
