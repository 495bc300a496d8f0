"""RF309: no setuid programs beyond the base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image, shown
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF309",
    name="Add no setuid programs",
    severity=RuleSeverity.WARNING,
    section="Security Checklist: minimal attack surface",
    what="The image adds programs that run as their owner or group, whoever starts them.",
    why="A mistake in one of them makes a user root.",
    fix="Take the bit away: `chmod a-s FILE`; with a numeric USER and no su or sudo none of them is needed.",
    bad="RUN apt-get install -y sudo",
    good="USER 10001:10001",
)
_BITS: Final = 0o6000
# What distributions' base images bring; it does nothing for a container that runs with no-new-privileges.
_USUAL: Final = frozenset(
    {
        "bbsuid", "chage", "chfn", "chsh", "expiry", "gpasswd", "mount", "newgrp", "pam_extrausers_chkpwd",
        "passwd", "ssh-agent", "su", "umount", "unix_chkpwd", "utempter", "wall",
    }
)  # fmt: skip


def check(image: Image) -> Iterator[Finding]:
    """Those that are not of the usual ones, as one finding."""
    programs = [
        one for one in image.files() if one.mode & _BITS and one.path.rpartition("/")[2] not in _USUAL
    ]
    if programs:
        message = f"{len(programs)} setuid or setgid program{'s' * (len(programs) > 1)}: {shown(programs)}"
        yield found(RULE, image.name, 0, message, context="setuid")
