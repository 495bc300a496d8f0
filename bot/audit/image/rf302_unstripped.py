"""RF302: no symbols in binaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF302",
    name="Strip binaries",
    severity=RuleSeverity.WARNING,
    section="3. Binary Optimization (strip debug symbols)",
    what="A binary that the image adds to its base has symbols or debug information, 100 kB or more.",
    why="Nothing in production reads them: they are pulled and stored with every copy.",
    fix="Run `strip` on it in the build stage.",
    bad="COPY --from=build /app/target/release/api /usr/local/bin/",
    good="RUN strip target/release/api",
)
_WORTH: Final = 100_000


def check(image: Image) -> Iterator[Finding]:
    """Each binary of the image's own layers."""
    for entry in sorted(image.files(), key=lambda one: -one.strippable):
        if entry.strippable >= _WORTH and entry.layer >= image.base_layers:
            share = f"{entry.strippable / entry.size:.0%}" if entry.size else "all"
            message = (
                f"/{entry.path}: {share} of its {entry.size / 1e6:,.1f} MB are symbols and debug information"
            )
            yield found(RULE, image.name, 0, message, context=entry.path, saves=entry.strippable)
