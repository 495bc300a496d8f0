"""RF204: let browsers keep assets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx import headers
from bot.audit.nginx.serving import files_of
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF204",
    name="Let browsers keep assets",
    severity=RuleSeverity.WARNING,
    section="6. Performance Optimizations (static asset caching)",
    what="A server hands out files, and nothing says how long a browser may keep any of them.",
    why="Every visit loads every script and picture again, or asks for each whether it has changed.",
    fix=(
        "Give assets that are named after their content `Cache-Control: public, max-age=31536000, immutable`."
    ),
    bad="location / {\n    try_files $uri /index.html;\n}",
    good=(
        'location ~* \\.(?:js|css)$ {\n    add_header Cache-Control "public, max-age=31536000, immutable";\n}'
    ),
)


_NOT_KEPT: Final = ("off", "epoch", "-", "0")


def check(root: Block) -> Iterator[Finding]:
    """Every server of files without any caching."""
    for server in servers(root):
        places = files_of(server)
        if (
            places
            and not server.in_doubt
            and not any(place.in_doubt for place in places)
            and not _decides(server)
        ):
            here = server.directive
            message = "no file that it hands out may be kept by a browser"
            context = " ".join(one.text for one in server.own("listen", "server_name", "root"))
            yield found(RULE, here.subject, here.line, message, context=context)


def _decides(server: Block) -> bool:
    """True where something is kept, or where for everything it is said that nothing is."""
    return any(_keeps(block) for block in (*server.chain(), *server.below())) or all(
        any(header.name == "cache-control" for header in headers.in_force(place))
        for place in files_of(server)
    )


def _keeps(block: Block) -> bool:
    expires = (one.args[-1].lower() for one in block.own("expires") if one.args)
    if any(not time.startswith(_NOT_KEPT) for time in expires):
        return True
    values = (header.value.lower() for header in headers.own(block) if header.name == "cache-control")
    return any("max-age" in value or "immutable" in value or "$" in value for value in values)
