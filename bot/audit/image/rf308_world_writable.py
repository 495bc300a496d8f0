"""RF308: nothing that everybody may write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Entry, Image, Kind, shown
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF308",
    name="Let not everybody write",
    severity=RuleSeverity.WARNING,
    section="Security Checklist: minimal attack surface",
    what="A file or folder may be written by every user, and no sticky bit guards the folder.",
    why="Any process in the container can replace what another one reads or runs.",
    fix="Give it an owner and a mode: `COPY --chown=10001 --chmod=755`, not `chmod 777`.",
    bad="RUN chmod -R 777 /app",
    good="COPY --chown=10001:10001 --chmod=750 app /app",
)
_EVERYBODY: Final = 0o002
_STICKY: Final = 0o1000
_OF_THE_SYSTEM: Final = re.compile(r"(?:dev|proc|sys)(?:/.*)?")


def check(image: Image) -> Iterator[Finding]:
    """All of them, as one finding."""
    open_ones = [entry for entry in image.live.values() if _is_open(entry)]
    if open_ones:
        message = f"{len(open_ones)} paths may be written by everybody: {shown(open_ones)}"
        yield found(RULE, image.name, 0, message, context="world-writable")


def _is_open(entry: Entry) -> bool:
    if entry.kind not in {Kind.FILE, Kind.FOLDER} or not entry.mode & _EVERYBODY:
        return False
    guarded = entry.kind is Kind.FOLDER and entry.mode & _STICKY
    return not guarded and not _OF_THE_SYSTEM.fullmatch(entry.path)
