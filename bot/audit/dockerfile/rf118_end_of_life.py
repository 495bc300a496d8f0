"""RF118: no base past its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity
from bot.model.reference import Reference
from bot.model.use import UseKind

RULE: Final = AuditRule(
    id="RF118",
    name="Stand on a base that is still cared for",
    severity=RuleSeverity.ERROR,
    section="Maintenance: update base images for security patches",
    what="A stage stands on a release of Debian, Ubuntu or Alpine whose support has ended.",
    why="No security update comes any more, however often the image is rebuilt.",
    fix="Move to a supported release; `refit check --explain IMAGE` shows which tags there are.",
    bad="FROM debian:buster-slim",
    good="FROM debian:bookworm-slim",
)


def check(dockerfile: Dockerfile, ended: Callable[[Reference], str]) -> Iterator[Finding]:
    """Every image that a stage stands on and that is past its end.

    Args:
        dockerfile: The Dockerfile.
        ended: Says when the support of an image ended; empty where it has not, or is not known.
    """
    for use in dockerfile.uses:
        if use.kind is UseKind.FROM and use.reference is not None and (told := ended(use.reference)):
            message = f"{use.text.partition('@')[0]}: {told}"
            yield found(RULE, dockerfile.file, use.line, message, context=use.text)
