"""RF211: leave the old filter off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found, once_a_line
from bot.audit.nginx import headers
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF211",
    name="Leave X-XSS-Protection off",
    severity=RuleSeverity.NOTE,
    section="5. Security Enhancements (the guide itself is wrong here: X-XSS-Protection: 1; mode=block)",
    what="X-XSS-Protection is sent with another value than 0.",
    why="Browsers have dropped the filter that it switched on, and where it lived it made holes of its own.",
    fix="Remove the header, or send 0; a Content-Security-Policy does what it promised.",
    bad='add_header X-XSS-Protection "1; mode=block";',
    good="add_header Content-Security-Policy \"default-src 'self'\" always;",
)


def check(root: Block) -> Iterator[Finding]:
    """Every place that switches it on, once."""
    return once_a_line(_switched_on(root))


def _switched_on(root: Block) -> Iterator[Finding]:
    for server in servers(root):
        for header in headers.anywhere(server):
            if header.name == "x-xss-protection" and header.value.strip()[:1] not in {"0", "$"}:
                here = header.directive
                message = "X-XSS-Protection is obsolete: no browser filters any more"
                yield found(RULE, here.subject, here.line, message, context=here.text)
