"""RF104: ship production dependencies only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.node import prunes, takes_everything
from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF104",
    name="Ship production dependencies only",
    severity=RuleSeverity.WARNING,
    section=(
        "3. Binary Optimization (production-only dependencies); DON'T install dev dependencies in production"
    ),
    what="Development dependencies are installed in the final stage, or copied into it.",
    why=(
        "Test runners, bundlers and linters are larger than most applications, and each is code that may "
        "be attacked."
    ),
    fix=(
        "Leave them out of the final stage (`npm ci --omit=dev`, `--only main`, `--no-dev`), or prune "
        "before copying."
    ),
    bad="FROM node:20-slim\nCOPY package*.json ./\nRUN npm ci",
    good="FROM node:20-slim\nCOPY package*.json ./\nRUN npm ci --omit=dev",
)
_DEV_FILE: Final = re.compile(
    r"(?:.*/)?(?:dev|test|tests|lint)[-_]?requirements.*|(?:.*/)?requirements[-_./]?(?:dev|test|lint).*"
)
_DEV_EXTRA: Final = re.compile(r"[^\[]*+\[(?:[^\]]*,)?\s*(?:dev|test|tests|lint|docs)\s*(?:,[^\]]*)?\]")
_NODE_MODULES: Final = re.compile(r"(?:.*/)?node_modules/?")


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """Installs in the final stage, and `node_modules` copied into it from a stage that has everything."""
    pruned = any(prunes(command) for _, command in dockerfile.commands(dockerfile.final))
    for step in dockerfile.steps(dockerfile.final):
        message = _installed(step, pruned=pruned) or _taken_over(dockerfile, step)
        if message:
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _installed(step: Step, *, pruned: bool) -> str:
    for command in step.commands:
        if installs.node(command) and takes_everything(command) and not pruned:
            return f"`{' '.join(command.words[:2])}` installs development dependencies in the final image"
        if told := _python(command):
            return told
    return ""


def _python(command: Command) -> str:
    arguments = installs.pip(command)
    if arguments is not None:
        dev = next(
            (word for word in arguments if _DEV_FILE.fullmatch(word) or _DEV_EXTRA.fullmatch(word)), ""
        )
        return f"`pip install` brings {dev} into the final image" if dev else ""
    verb = command.plain[:1]
    if (command.name, verb) == ("poetry", ("install",)):
        only = command.has("--only", "--without", "--no-dev", "--only-root")
        return "" if only else "`poetry install` brings every group, development too"
    if (command.name, verb) == ("uv", ("sync",)):
        told = {"UV_NO_DEV", "UV_NO_DEFAULT_GROUPS"} & set(command.env)
        left_out = command.has("--no-dev", "--no-default-groups", "--only-group", "--no-group")
        return "" if left_out or told else "`uv sync` brings the dev group"
    with_dev = (command.name, verb) == ("pipenv", ("install",)) and command.has("--dev", "-d")
    return "`pipenv install --dev` brings development packages" if with_dev else ""


def _taken_over(dockerfile: Dockerfile, step: Step) -> str:
    if step.keyword != "COPY" or not step.values("from"):
        return ""
    source = dockerfile.named(step.values("from")[0])
    if source is None or not any(_holds_modules(dockerfile, source, word) for word in step.words[:-1]):
        return ""
    everything, line = False, 0
    for one, command in dockerfile.commands(source):
        if installs.node(command):
            everything, line = takes_everything(command), one.line
        everything = everything and not prunes(command)
    return (
        f"takes node_modules with development dependencies (installed at line {line})" if everything else ""
    )


def _holds_modules(dockerfile: Dockerfile, source: Stage, path: str) -> bool:
    """True for a node_modules folder, and for the folder that dependencies were installed in."""
    if _NODE_MODULES.fullmatch(path):
        return True
    folder = "/"
    for step in dockerfile.steps(source):
        if step.keyword == "WORKDIR" and step.words:
            folder = (
                step.words[0] if step.words[0].startswith("/") else f"{folder.rstrip('/')}/{step.words[0]}"
            )
    return path.rstrip("/") == folder.rstrip("/") and any(
        installs.node(c) for _, c in dockerfile.commands(source)
    )
