"""RF105: a build needs its development dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.node import without_dev
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF105",
    name="Install development dependencies before a build",
    severity=RuleSeverity.ERROR,
    section=(
        "2. Dependency Caching (the guide itself is wrong here: `npm ci --only=production`, then `npm "
        "run build`)"
    ),
    what="A stage installs production dependencies only, and then builds.",
    why=(
        "Bundlers and compilers are development dependencies: the build fails, or runs with what happens "
        "to be there."
    ),
    fix="Install everything in the build stage (`npm ci`); the final stage copies only what was built.",
    bad="RUN npm ci --only=production\nCOPY . .\nRUN npm run build",
    good="RUN npm ci\nCOPY . .\nRUN npm run build",
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """In each stage, the last install before a build, where it leaves development dependencies out."""
    seen: set[int] = set()
    for stage in dockerfile.stages:
        installed: tuple[Step, str] | None = None
        for step, command in dockerfile.commands(stage):
            if installs.node(command):
                installed = (step, " ".join(command.words[:3])) if without_dev(command) else None
            elif installed and installed[0].line not in seen and (built := installs.bundles(command)):
                seen.add(installed[0].line)
                message = f"`{installed[1]}` leaves out what `{built}` at line {step.line} needs"
                yield found(RULE, dockerfile.file, installed[0].line, message, context=installed[0].text)
