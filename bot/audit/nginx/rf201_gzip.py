"""RF201: compress what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx.serving import has_content
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF201",
    name="Compress what is sent",
    severity=RuleSeverity.WARNING,
    section="6. Performance Optimizations (gzip compression)",
    what="A server hands out files or pages with gzip off.",
    why=(
        "Text shrinks to a quarter or less; without compression every visitor waits for, and pays for, "
        "the rest."
    ),
    fix="Add `gzip on;` with a level and types to the `http` block.",
    bad="http {\n    server {\n        root /srv;\n    }\n}",
    good=(
        "http {\n    gzip on;\n    gzip_comp_level 6;\n    gzip_types text/css application/javascript "
        "application/json;\n    server {\n        root /srv;\n    }\n}"
    ),
)


def check(root: Block) -> Iterator[Finding]:
    """The first server with content that nothing compresses: one directive above all of them helps all."""
    for server in servers(root):
        if has_content(server) and not server.in_doubt and not _compresses(server):
            here = server.directive
            message = "gzip is off for this server"
            yield found(RULE, here.subject, here.line, message, context=_name(server))
            return


def _compresses(server: Block) -> bool:
    """True where something compresses: gzip, another method, or files made beforehand."""
    switches = ("gzip", "brotli", "zstd", "gzip_static", "brotli_static")
    return any(block.is_on(switch) for block in server.below() for switch in switches)


def _name(server: Block) -> str:
    return " ".join(one.text for one in server.own("listen", "server_name"))
