"""RF303: no development dependencies in node_modules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF303",
    name="Ship no development dependencies",
    severity=RuleSeverity.WARNING,
    section="Security Checklist: only production dependencies",
    what="A node_modules holds what its package.json calls development dependencies.",
    why=(
        "Bundlers and test runners are often larger than the application, and each is code that may be "
        "attacked."
    ),
    fix="Install with `npm ci --omit=dev` in the final stage, or prune before copying.",
    bad="RUN npm ci",
    good="RUN npm ci --omit=dev",
)
_MANIFEST: Final = re.compile(r"(?!(?:.*/)?node_modules/)(?:.*/)?package\.json")
_SHOWN: Final = 4


def check(image: Image) -> Iterator[Finding]:
    """Each package.json with a node_modules beside it."""
    for path in sorted(path for path in image.texts if _MANIFEST.fullmatch(path)):
        folder = f"{path.removesuffix('package.json')}node_modules/"
        wanted = _development(image.text(path))
        there = sorted(name for name in wanted if f"{folder}{name}/package.json" in image.live)
        if there:
            more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
            message = f"/{folder} holds {', '.join(there[:_SHOWN])}{more}"
            starts = tuple(f"{folder}{name}/" for name in there)
            size = sum(entry.size for entry in image.files() if entry.path.startswith(starts))
            yield found(RULE, image.name, 0, message, context=path, saves=size)


def _development(manifest: str) -> set[str]:
    """The names that are development dependencies and nothing else."""
    try:
        document = json.loads(manifest)
        names = set(document.get("devDependencies", {})) - set(document.get("dependencies", {}))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str)}
