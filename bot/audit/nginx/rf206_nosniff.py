"""RF206: let no browser guess types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.nginx.missing import check_header
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF206",
    name="Send X-Content-Type-Options: nosniff",
    severity=RuleSeverity.WARNING,
    section="5. Security Enhancements (security headers)",
    what="A server of files sends no X-Content-Type-Options, or another value than nosniff.",
    why="A browser that guesses types may run an uploaded picture as a script.",
    fix="Add `add_header X-Content-Type-Options nosniff always;`.",
    bad="server {\n    root /srv;\n}",
    good="server {\n    root /srv;\n    add_header X-Content-Type-Options nosniff always;\n}",
)


def check(root: Block) -> Iterator[Finding]:
    """Every server of files that does not send it, and every value that does not help."""
    yield from check_header(RULE, root, "X-Content-Type-Options", _wrong)


def _wrong(value: str) -> str:
    return "" if value.strip().lower() == "nosniff" or "$" in value else "nosniff is the only value there is"
