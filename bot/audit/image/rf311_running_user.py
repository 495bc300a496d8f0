"""RF311: a user that is not root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.audit.users import is_root
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF311",
    name="Start as a user that is not root",
    severity=RuleSeverity.ERROR,
    section="Security Checklist: non-root user",
    what="The config of the image has no user, or root.",
    why="Whoever breaks into the process owns the container.",
    fix="End the Dockerfile with `USER 10001:10001`.",
    bad='ENTRYPOINT ["/api"]',
    good='USER 10001:10001\nENTRYPOINT ["/api"]',
)


def check(image: Image) -> Iterator[Finding]:
    """The user that a container of it starts with."""
    if not image.user.partition(":")[0] or is_root(image.user):
        told = f"its user is {image.user}" if image.user else "it has no user"
        yield found(RULE, image.name, 0, f"the image starts as root: {told}", context="user")
