"""RF306: the same bytes once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Entry, Image, shown
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF306",
    name="Ship the same bytes once",
    severity=RuleSeverity.NOTE,
    section="Large Image Size: unnecessary files copied",
    what="Files with the same bytes lie at several paths, 1 MB or more in all.",
    why="Each copy is pulled and stored, though one would do.",
    fix="Copy it once, or make the others links.",
    bad="COPY --from=build /app /app\nCOPY --from=build /app/dist /srv",
    good="COPY --from=build /app/dist /srv",
)
_WORTH: Final = 1_000_000


def check(image: Image) -> Iterator[Finding]:
    """The copies that the image adds to its base, as one finding."""
    same: dict[str, list[Entry]] = {}
    for entry in image.files():
        if entry.digest:
            same.setdefault(entry.digest, []).append(entry)
    copies = [one for group in same.values() for one in _extra(group, image.base_layers)]
    size = sum(one.size for one in copies)
    if size >= _WORTH:
        message = f"{len(copies)} files are copies of others: {shown(copies)}"
        yield found(RULE, image.name, 0, message, context="copies", saves=size)


def _extra(group: list[Entry], base_layers: int) -> list[Entry]:
    """All but the lowest of files that are the same, as far as they are the image's own."""
    ordered = sorted(group, key=lambda one: (one.layer, one.path))
    return [one for one in ordered[1:] if one.layer >= base_layers]
