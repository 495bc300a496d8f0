"""RF102: install dependencies before the sources are copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.copies import copies_sources
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found, once_a_line
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF102",
    name="Install dependencies before the sources are copied",
    severity=RuleSeverity.WARNING,
    section="2. Dependency Caching",
    what="A project's dependencies are installed only after its sources were copied.",
    why="A change of any source file then downloads and builds every dependency again.",
    fix="Copy the manifest and lock file, install the dependencies, and copy the sources after that.",
    bad="COPY . .\nRUN npm ci",
    good="COPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .",
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """In each stage that is shipped, an ecosystem's first install where sources came before it."""
    return once_a_line(finding for stage in dockerfile.shipped() for finding in _in(dockerfile, stage))


def _in(dockerfile: Dockerfile, stage: Stage) -> Iterator[Finding]:
    sources, done = 0, set[str]()
    for step in dockerfile.steps(stage):
        if copies_sources(step):
            sources = sources or step.line
        if step.keyword != "RUN":
            continue
        for command in step.commands:
            kind = installs.ecosystem(command)
            if kind and kind not in done and sources and not step.caches:
                shown = " ".join(command.words[:3])
                message = f"`{shown}` comes after line {sources} copied the sources: each change repeats it"
                yield found(RULE, dockerfile.file, step.line, message, context=step.text)
            done.add(kind)
