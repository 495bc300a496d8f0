"""The baseline file: findings that were there before, so that old ones do not drown new ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from bot.errors import UsageError
from bot.model.finding import Audit, Finding, fingerprints

VERSION: Final = 1


def text(findings: Iterable[Finding]) -> str:
    """The file for these findings: one a line, sorted, so that a diff shows what came and went."""
    rows = sorted((one.subject, one.rule, name, one.message) for name, one in fingerprints(findings).items())
    lines = (
        json.dumps({"rule": rule, "subject": subject, "id": name, "message": message}, ensure_ascii=False)
        for subject, rule, name, message in rows
    )
    return f'{{"version": {VERSION}, "findings": [\n' + ",\n".join(lines) + "\n]}\n"


def known(content: str, file: str) -> frozenset[str]:
    """The ids a baseline file holds.

    Raises:
        UsageError: It is no baseline file.
    """
    try:
        document: Any = json.loads(content)
        if document["version"] != VERSION:
            raise UsageError(f"{file}: version {document['version']!r} of the baseline is not known")
        return frozenset(str(one["id"]) for one in document["findings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{file} is no baseline file: {error}", hint="Write one with --write-baseline FILE."
        ) from error


def without(audit: Audit, ids: frozenset[str]) -> Audit:
    """An audit whose old findings are set aside as known."""
    named = fingerprints(audit.findings)
    old = tuple(finding for name, finding in named.items() if name in ids)
    new = tuple(finding for name, finding in named.items() if name not in ids)
    return replace(audit, findings=new, known=(*audit.known, *old))
