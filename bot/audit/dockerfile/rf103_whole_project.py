"""RF103: do not copy the whole project at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.copies import copies_everything
from bot.audit.dockerfile.dockerignore import Ignore
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found, once_a_line
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF103",
    name="Do not copy the whole project at once",
    severity=RuleSeverity.WARNING,
    section="Best Practices: DON'T copy entire project at once",
    what="The first thing a stage copies is the whole build context.",
    why=(
        "Any change, of a README too, makes every following step run again, and what nobody meant to "
        "ship is shipped."
    ),
    fix="Copy what the next step needs: the manifests first, then the sources by name.",
    bad="FROM python:3.13-slim\nCOPY . .\nRUN pip install -r requirements.txt",
    good=(
        "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app ./app"
    ),
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """In each stage that is shipped, a copy of everything that nothing came before."""
    if Ignore.of(dockerfile.context, dockerfile.file).only_lets_in:
        return
    yield from once_a_line(finding for stage in dockerfile.shipped() for finding in _in(dockerfile, stage))


def _in(dockerfile: Dockerfile, stage: Stage) -> Iterator[Finding]:
    if any(command.words[:3] == ("cargo", "chef", "prepare") for _, command in dockerfile.commands(stage)):
        return  # its planner reads everything and keeps a recipe
    for step in dockerfile.steps(stage):
        taken = any(dockerfile.named(name) for name in step.values("from"))
        if taken or any(installs.ecosystem(command) for command in step.commands):
            return
        if copies_everything(step):
            message = f"{step.keyword} takes the whole build context before anything else"
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)
        if step.copied:
            return
