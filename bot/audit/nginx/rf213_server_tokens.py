"""RF213: keep the version to yourself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF213",
    name="Keep the version to yourself",
    severity=RuleSeverity.NOTE,
    section="5. Security Enhancements (security headers)",
    what="server_tokens is not off.",
    why="Every answer and error page names the version, and with it the known holes.",
    fix="Add `server_tokens off;` to the `http` block.",
    bad="http {\n    server {\n        listen 8080;\n    }\n}",
    good="http {\n    server_tokens off;\n    server {\n        listen 8080;\n    }\n}",
)


def check(root: Block) -> Iterator[Finding]:
    """Where it is on, else the first server that is not told: one directive above all of them helps all."""
    for server in servers(root):
        tokens = server.value("server_tokens")
        if (tokens and tokens.args[:1] == ("off",)) or server.in_doubt or _hides(server):
            continue
        here = tokens or server.directive
        message = (
            f"server_tokens is {tokens.args[0]}" if tokens and tokens.args else "server_tokens is not off"
        )
        yield found(RULE, here.subject, here.line, message, context=here.text)
        return


def _hides(server: Block) -> bool:
    """True where the headers-more module takes the header away."""
    changes = (one for block in server.chain() for one in block.own("more_clear_headers", "more_set_headers"))
    return any(word.lower().startswith("server") for one in changes for word in one.args)
