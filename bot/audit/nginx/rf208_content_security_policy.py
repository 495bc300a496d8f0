"""RF208: say what a page may load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.nginx.missing import check_header
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF208",
    name="Send a Content-Security-Policy",
    severity=RuleSeverity.WARNING,
    section="5. Security Enhancements (security headers)",
    what="A server of files sends no Content-Security-Policy, or one that only reports.",
    why=(
        "One injected script tag can do everything; a policy is what stops it, and X-XSS-Protection "
        "never did."
    ),
    fix=(
        "Add `add_header Content-Security-Policy \"default-src 'self'\" always;`, and let in what the "
        "page needs."
    ),
    bad="server {\n    root /srv;\n}",
    good="server {\n    root /srv;\n    add_header Content-Security-Policy \"default-src 'self'\" always;\n}",
)


def check(root: Block) -> Iterator[Finding]:
    """Every server of files that does not send it, and every value that does not help."""
    yield from check_header(RULE, root, "Content-Security-Policy", _wrong)


def _wrong(value: str) -> str:
    return "" if value.strip() else "it is empty"
