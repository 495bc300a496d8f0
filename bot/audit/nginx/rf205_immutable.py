"""RF205: say that assets never change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.nginx import headers
from bot.audit.nginx.serving import hands_out_files, places
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF205",
    name="Say that assets never change",
    severity=RuleSeverity.NOTE,
    section="6. Performance Optimizations (Cache-Control … immutable)",
    what="Assets may be kept for a month or more, and nothing says that they are immutable.",
    why="On a reload a browser asks for each of them whether it has changed; with `immutable` it does not.",
    fix=(
        'Add `add_header Cache-Control "public, max-age=31536000, immutable";` (and the security '
        "headers again, see RF210)."
    ),
    bad="location ~* \\.(?:js|css)$ {\n    expires 1y;\n}",
    good=(
        'location ~* \\.(?:js|css)$ {\n    expires 1y;\n    add_header Cache-Control "public, '
        'max-age=31536000, immutable";\n}'
    ),
)


_MONTH: Final = 30 * 24 * 3600
_UNITS: Final = {
    "y": 365 * 24 * 3600,
    "M": _MONTH,
    "w": 7 * 24 * 3600,
    "d": 24 * 3600,
    "h": 3600,
    "m": 60,
    "s": 1,
}
_TIME: Final = re.compile(r"(\d{1,10})([yMwdhms]?)")
_MAX_AGE: Final = re.compile(r"max-age=(\d{1,12})")


def check(root: Block) -> Iterator[Finding]:
    """Every location for assets with a long time and no `immutable`."""
    for server in servers(root):
        for place in places(server):
            if (
                hands_out_files(place)
                and _is_for_assets(place)
                and _keeps_long(place)
                and not _says_so(place)
            ):
                here = place.directive
                message = "kept for long, but not immutable: a reload asks for each file again"
                yield found(RULE, here.subject, here.line, message, context=here.text)


def _is_for_assets(place: Block) -> bool:
    """Not for `/` and `= /index.html`: a page must not be kept for ever."""
    last = place.directive.args[-1:] or ("",)
    return last[0] != "/" and place.directive.args[:1] != ("=",) and "html" not in last[0]


def _keeps_long(place: Block) -> bool:
    times = (one.args[-1] for one in place.own("expires") if one.args)
    ages = (_MAX_AGE.search(one.value) for one in headers.own(place) if one.name == "cache-control")
    return any(_seconds(time) >= _MONTH for time in times) or any(
        age and int(age[1]) >= _MONTH for age in ages
    )


def _seconds(time: str) -> int:
    if time == "max":
        return _UNITS["y"]
    return sum(int(number) * _UNITS[unit or "s"] for number, unit in _TIME.findall(time.lstrip("+")[:40]))


def _says_so(place: Block) -> bool:
    values = [one.value.lower() for one in headers.in_force(place) if one.name == "cache-control"]
    return place.in_doubt or any("immutable" in value or "$" in value for value in values)
