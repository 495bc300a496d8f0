"""RF312: only the ports of the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF312",
    name="Expose only the service",
    severity=RuleSeverity.WARNING,
    section="Security Checklist: minimal attack surface",
    what=(
        "The image exposes a port of a shell, a debugger or the engine, or one below 1024 while it runs "
        "without root."
    ),
    why="Such a port is a way in, or one that the user may not open.",
    fix="Expose the port of the service alone, from 1024 on: `EXPOSE 8080`.",
    bad="EXPOSE 22 9229",
    good="EXPOSE 8080",
)
_WAYS_IN: Final = {
    "22": "a shell (SSH)", "23": "a shell (telnet)", "2375": "the Docker engine", "5005": "a Java debugger",
    "5678": "a Python debugger", "9229": "a Node debugger", "2345": "a Go debugger",
}  # fmt: skip
_FIRST_FREE: Final = 1024


def check(image: Image) -> Iterator[Finding]:
    """Each such port."""
    user = image.user.partition(":")[0]
    for port in image.ports:
        number = port.partition("/")[0]
        if number in _WAYS_IN:
            yield found(RULE, image.name, 0, f"port {port} is that of {_WAYS_IN[number]}", context=port)
        elif number.isdigit() and int(number[:6]) < _FIRST_FREE and user not in {"", "0", "root"}:
            message = f"port {port} is below {_FIRST_FREE}, which user {user} may not open everywhere"
            yield found(RULE, image.name, 0, message, context=port)
