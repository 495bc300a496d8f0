"""RF301: no source maps in the image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image, shown
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF301",
    name="Ship no source maps",
    severity=RuleSeverity.WARNING,
    section="3. Binary Optimization (remove source maps)",
    what="The image holds source maps of scripts or styles.",
    why="They give the sources to every visitor, and are often larger than the code.",
    fix="Delete them after the build (`find dist -name '*.map' -delete`), or switch them off in the bundler.",
    bad="COPY --from=build /app/dist /usr/share/nginx/html",
    good="RUN npm run build && find dist -name '*.map' -delete",
)
_MAP: Final = re.compile(r"(?!(?:.*/)?node_modules/).*\.(?:js|mjs|cjs|css)\.map")


def check(image: Image) -> Iterator[Finding]:
    """All of them outside node_modules, as one finding."""
    maps = list(image.files(_MAP))
    if maps:
        message = f"{len(maps)} source map{'s' * (len(maps) > 1)}: {shown(maps)}"
        yield found(RULE, image.name, 0, message, context="source maps", saves=sum(one.size for one in maps))
