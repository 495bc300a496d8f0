"""RF202: compress at a sensible level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx.serving import compressing
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF202",
    name="Compress at a sensible level",
    severity=RuleSeverity.NOTE,
    section="6. Performance Optimizations (gzip_comp_level 6)",
    what="gzip is on with its default level 1, or with 8 or 9.",
    # By zlib on 4.6 MB of scripts and styles: 32.4 % at 1, 26.7 % at 6, 26.5 % at 9 in 2.5 times the time.
    why=(
        "Level 1 sends a fifth more than level 6; 9 works more than twice as long as 6 for half a per "
        "cent less."
    ),
    fix="Set `gzip_comp_level 6;` (4 to 6 are sensible).",
    bad="gzip on;\ngzip_comp_level 9;",
    good="gzip on;\ngzip_comp_level 6;",
)


_LOWEST: Final = 1
_HIGHEST: Final = 7


def check(root: Block) -> Iterator[Finding]:
    """The level in force wherever something is compressed, once for each place it is set or forgotten."""
    seen: set[tuple[str, int]] = set()
    for block, switch in compressing(root):
        level = block.value("gzip_comp_level")
        here, message = (
            (level, _wrong(level.args)) if level else (switch, "gzip_comp_level is not set: it is 1")
        )
        if message and (here.subject, here.line) not in seen:
            seen.add((here.subject, here.line))
            yield found(RULE, here.subject, here.line, message, context=here.text)


def _wrong(args: tuple[str, ...]) -> str:
    if not args or not args[0].isdigit():
        return ""
    level = int(args[0][:3])
    return "" if _LOWEST < level <= _HIGHEST else f"gzip_comp_level is {level}"
