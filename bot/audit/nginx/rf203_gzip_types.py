"""RF203: compress scripts and styles too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx.serving import compressing, files_of
from bot.audit.nginx.tree import Block
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF203",
    name="Compress scripts and styles too",
    severity=RuleSeverity.WARNING,
    section="6. Performance Optimizations (gzip_types)",
    what="gzip is on, and gzip_types is missing or leaves out CSS or JavaScript.",
    why="Without gzip_types nginx compresses text/html alone, and a front end is mostly scripts and styles.",
    fix="Set `gzip_types text/plain text/css application/json application/javascript image/svg+xml;`.",
    bad="gzip on;",
    good="gzip on;\ngzip_types text/plain text/css application/json application/javascript;",
)


_NEEDED: Final = {
    "CSS": {"text/css", "*"},
    "JavaScript": {"application/javascript", "text/javascript", "application/x-javascript", "*"},
}


def check(root: Block) -> Iterator[Finding]:
    """The types in force wherever something is compressed, once for each place they are set or forgotten."""
    seen: set[tuple[str, int]] = set()
    for block, switch in compressing(root):
        types = block.value("gzip_types")
        here = types or switch
        message = (
            _missing(types.args, block) if types else "gzip_types is not set: only text/html is compressed"
        )
        if message and (here.subject, here.line) not in seen:
            seen.add((here.subject, here.line))
            yield found(RULE, here.subject, here.line, message, context=here.text)


def _missing(args: tuple[str, ...], block: Block) -> str:
    words = {word.lower() for word in args}
    left_out = [kind for kind, types in _NEEDED.items() if words.isdisjoint(types)]
    has_files = bool(files_of(block.inside("server") or block))
    return f"gzip_types leaves out {' and '.join(left_out)}" if left_out and has_files else ""
