"""RF212: keep visitors on TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx import headers
from bot.audit.nginx.serving import ends_tls, has_content
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF212",
    name="Send Strict-Transport-Security where TLS ends",
    severity=RuleSeverity.WARNING,
    section="5. Security Enhancements (security headers)",
    what="TLS ends at a server that does not send Strict-Transport-Security, or sends it with no time.",
    why="The next visit may begin without TLS, where anybody on the way can keep it so.",
    fix=(
        'Add `add_header Strict-Transport-Security "max-age=63072000" always;` to the server that '
        "listens with ssl."
    ),
    bad="server {\n    listen 443 ssl;\n}",
    good=(
        'server {\n    listen 443 ssl;\n    add_header Strict-Transport-Security "max-age=63072000" '
        "always;\n}"
    ),
)


_NO_TIME: Final = re.compile(r"max-age=\"?0+(?!\d)")


def check(root: Block) -> Iterator[Finding]:
    """Every server with content where TLS ends."""
    for server in servers(root):
        if not ends_tls(server) or not has_content(server) or server.in_doubt:
            continue
        sent = [one for one in headers.anywhere(server) if one.name == "strict-transport-security"]
        if not sent:
            here = server.directive
            context = " ".join(one.text for one in server.own("listen", "server_name"))
            yield found(RULE, here.subject, here.line, "TLS ends here without HSTS", context=context)
        for header in sent:
            if _NO_TIME.search(header.value.lower()):
                here = header.directive
                message = "max-age=0 makes browsers forget"
                yield found(RULE, here.subject, here.line, message, context=here.text)
