"""RF307: nothing that a later layer hides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image, shown
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF307",
    name="Ship nothing that a later layer hides",
    severity=RuleSeverity.WARNING,
    section="Improvements: layers; Large Image Size",
    what="A later layer replaces or removes files of an earlier one, 1 MB or more in all.",
    why="What is hidden is pulled and stored all the same, and can still be read by whoever has the image.",
    fix=(
        "Remove files in the RUN that makes them, set owner and mode with `COPY --chown --chmod`, or "
        "build in a stage before."
    ),
    bad="COPY app /app\nRUN chown -R 1000 /app",
    good="COPY --chown=1000 app /app",
)
_WORTH: Final = 1_000_000


def check(image: Image) -> Iterator[Finding]:
    """The hidden files of the image's own layers, and those of the base that it hides, as one finding."""
    files = list(image.hidden)
    size = sum(one.size for one in files)
    if size >= _WORTH:
        message = f"{len(files)} files are in a layer and hidden by a later one: {shown(files)}"
        yield found(RULE, image.name, 0, message, context="hidden files", saves=size)
