"""RF210: repeat headers where one is added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx import headers
from bot.audit.nginx.serving import answers_itself
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF210",
    name="Repeat inherited headers where one is added",
    severity=RuleSeverity.ERROR,
    section=(
        "6. Performance Optimizations (the guide itself is wrong here: `add_header` in the asset location)"
    ),
    what="A block adds a header of its own, and by that drops the security headers that stand above it.",
    why=(
        "nginx inherits add_header only where a block has none: what that block answers goes out without "
        "protection."
    ),
    fix=(
        "Put the security headers in a file, and include it wherever add_header is used (or "
        "`add_header_inherit merge;`)."
    ),
    bad=(
        'add_header X-Frame-Options DENY;\nlocation /assets/ {\n    add_header Cache-Control "public, '
        'max-age=31536000, immutable";\n}'
    ),
    good=(
        "include security-headers.conf;\nlocation /assets/ {\n    include security-headers.conf;\n    "
        'add_header Cache-Control "public, max-age=31536000, immutable";\n}'
    ),
)


_MOST_NAMED: Final = 3


def check(root: Block) -> Iterator[Finding]:
    """Every block that drops security headers which were in force above it."""
    for server in servers(root):
        for block in server.below():
            lost = _lost(block)
            if lost:
                here = block.directive
                more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
                message = f"its own add_header drops {', '.join(lost[:_MOST_NAMED])}{more}"
                yield found(RULE, here.subject, here.line, message, context=here.text)


def _lost(block: Block) -> list[str]:
    """The names, as written, of the security headers that the block drops."""
    mine = headers.own(block)
    if not mine or block.parent is None or block.unknown or headers.merges(block):
        return []
    if answers_itself(block) and block.name != "server":
        return []
    kept = {one.name for one in headers.in_force(block)}
    above = {
        one.name: one.directive.args[0]
        for one in headers.in_force(block.parent)
        if one.directive.name == "add_header"
    }
    return [above[name] for name in headers.SECURITY if name in above and name not in kept]
