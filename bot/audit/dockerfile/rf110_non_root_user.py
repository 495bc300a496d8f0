"""RF110: run as a user that is not root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import bases
from bot.audit.dockerfile.running import gives_up_root, is_an_image_to_run, last_user
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.audit.users import is_root
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF110",
    name="Run as a user that is not root",
    severity=RuleSeverity.ERROR,
    section="5. Security Enhancements (non-root user); DON'T run as root user",
    what="The image starts as root: no USER in the final stage or below it, or the last one is root.",
    why=(
        "Whoever breaks into the process owns the container, and one mistake of the kernel away, the machine."
    ),
    fix="End the final stage with `USER 10001:10001`, after the steps that need root.",
    bad='FROM debian:bookworm-slim\nCOPY api /usr/local/bin/\nENTRYPOINT ["api"]',
    good='FROM debian:bookworm-slim\nCOPY api /usr/local/bin/\nUSER 10001:10001\nENTRYPOINT ["api"]',
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The last USER that is in force, or the FROM of an image that is known to be root's."""
    if gives_up_root(dockerfile) or not is_an_image_to_run(dockerfile):
        return
    step = last_user(dockerfile)
    if step is None:
        root = dockerfile.root(dockerfile.final)
        if bases.runs_as_root(root.use):
            message = "no USER: the image starts as root"
            yield found(RULE, dockerfile.file, root.line, message, context=root.use.text)
    elif not step.unknown and step.words and is_root(step.words[0]):
        yield found(RULE, dockerfile.file, step.line, "the last USER is root", context=step.text)
