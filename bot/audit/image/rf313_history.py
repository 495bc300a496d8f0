"""RF313: no repository in the image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF313",
    name="Ship no repository",
    severity=RuleSeverity.WARNING,
    section="Large Image Size: unnecessary files copied",
    what="The image holds a .git folder.",
    why="It holds every version of every file, secrets that were removed too.",
    fix="Add `.git` to the .dockerignore.",
    bad="COPY . .",
    good="# .dockerignore\n.git",
)
_GIT: Final = re.compile(r"(?:.*/)?\.git/.+")


def check(image: Image) -> Iterator[Finding]:
    """All of it, as one finding."""
    files = [entry for entry in image.files(_GIT) if entry.layer >= image.base_layers]
    if files:
        folders = sorted({f"/{one.path.partition('.git/')[0]}.git" for one in files})
        message = f"{', '.join(folders[:3])} with {len(files)} files"
        yield found(RULE, image.name, 0, message, context=folders[0], saves=sum(one.size for one in files))
