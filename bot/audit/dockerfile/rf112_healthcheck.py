"""RF112: say how the image is found healthy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.running import is_a_service, last
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF112",
    name="Say how the image is found healthy",
    severity=RuleSeverity.WARNING,
    section="7. Health Checks; DON'T skip health checks",
    what="The image has no HEALTHCHECK of its own or of a stage below it, or switches it off.",
    why="A process that hangs looks alive: nothing restarts it, and no deployment waits for it.",
    fix=(
        "Add `HEALTHCHECK CMD …` with a command that the image has; a program that asks itself needs no curl."
    ),
    bad='FROM debian:bookworm-slim\nCOPY api /usr/local/bin/\nENTRYPOINT ["api"]',
    good='HEALTHCHECK --interval=30s --timeout=3s CMD ["/usr/local/bin/api", "--health"]\nENTRYPOINT ["api"]',
)
_NOT_PROBED: Final = ("/lambda/", "lambda/")


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The HEALTHCHECK in force: none, or NONE."""
    root = dockerfile.root(dockerfile.final)
    if not is_a_service(dockerfile) or any(part in root.use.text for part in _NOT_PROBED):
        return
    step = last(dockerfile, "HEALTHCHECK")
    if step is None:
        yield found(RULE, dockerfile.file, root.line, "the image has no HEALTHCHECK", context=root.use.text)
    elif step.rest.upper() == "NONE":
        yield found(RULE, dockerfile.file, step.line, "the health check is switched off", context=step.text)
