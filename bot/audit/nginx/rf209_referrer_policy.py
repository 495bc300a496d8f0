"""RF209: tell other sites little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.nginx.missing import check_header
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF209",
    name="Send a Referrer-Policy",
    severity=RuleSeverity.NOTE,
    section="5. Security Enhancements (security headers)",
    what="A server of files sends no Referrer-Policy, or unsafe-url.",
    why=(
        "Addresses may hold names, searches and tokens, and are sent to every site that is linked or "
        "loaded from."
    ),
    fix="Add `add_header Referrer-Policy strict-origin-when-cross-origin always;`.",
    bad="server {\n    root /srv;\n}",
    good=(
        "server {\n    root /srv;\n    add_header Referrer-Policy strict-origin-when-cross-origin always;\n}"
    ),
)


def check(root: Block) -> Iterator[Finding]:
    """Every server of files that does not send it, and every value that does not help."""
    yield from check_header(RULE, root, "Referrer-Policy", _wrong)


def _wrong(value: str) -> str:
    return "unsafe-url tells every site the whole address" if value.strip().lower() == "unsafe-url" else ""
