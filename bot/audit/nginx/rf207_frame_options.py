"""RF207: be framed by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.nginx import headers
from bot.audit.nginx.missing import check_header
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF207",
    name="Send X-Frame-Options",
    severity=RuleSeverity.WARNING,
    section="5. Security Enhancements (security headers)",
    what="A server of files sends neither X-Frame-Options nor a policy with frame-ancestors.",
    why="Another site can show the page in a frame and let visitors click what they do not see.",
    fix="Add `add_header X-Frame-Options DENY always;`, or `frame-ancestors` to the Content-Security-Policy.",
    bad="server {\n    root /srv;\n}",
    good="server {\n    root /srv;\n    add_header X-Frame-Options DENY always;\n}",
)


def check(root: Block) -> Iterator[Finding]:
    """Every server of files that may be framed by anybody."""
    yield from check_header(RULE, root, "X-Frame-Options", _wrong, instead=_policy_does)


def _wrong(value: str) -> str:
    known = value.strip().lower() in {"deny", "sameorigin"} or "$" in value
    return "" if known else "browsers know DENY and SAMEORIGIN only"


def _policy_does(server: Block) -> bool:
    """True where the policy says who may frame the page, which browsers heed first."""
    policies = (one for one in headers.anywhere(server) if one.name == "content-security-policy")
    return any("frame-ancestors" in one.value.lower() or "$" in one.value for one in policies)
