"""RF101: build in a stage of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF101",
    name="Build in a stage of its own",
    severity=RuleSeverity.WARNING,
    section="1. Multi-Stage Builds",
    what="The stage that becomes the image compiles or bundles, or keeps compilers that it installed.",
    why=(
        "Compilers, sources and build dependencies are shipped: hundreds of megabytes, and tools for an "
        "intruder."
    ),
    fix="Build in a stage of its own, and copy only what it made into a small final stage.",
    bad='FROM rust:1.90\nCOPY . .\nRUN cargo build --release\nCMD ["target/release/api"]',
    good=(
        "FROM rust:1.90 AS build\nCOPY . .\nRUN cargo build --release\n"
        "FROM debian:bookworm-slim\nCOPY --from=build /target/release/api /usr/local/bin/"
    ),
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The first step of the final stage, or of those it stands on, that builds or brings compilers."""
    for step in dockerfile.steps(dockerfile.final):
        message = _builds(step) or _compilers(step)
        if message:
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)
            return


def _builds(step: Step) -> str:
    if step.keyword != "RUN":
        return ""
    built = next((word for command in step.commands if (word := installs.builds(command))), "")
    return f"`{built}` runs in the final image, which ships its compiler and sources" if built else ""


def _compilers(step: Step) -> str:
    if step.keyword != "RUN":
        return ""
    gone = installs.removed(step.commands)
    kept: list[str] = []
    for command in step.commands:
        packages = installs.system(command)
        if packages and packages.group not in gone - {""}:
            kept += [
                name for name in packages.names if installs.COMPILERS.fullmatch(name) and name not in gone
            ]
    return f"{', '.join(kept[:4])} stay{'s' if len(kept) == 1 else ''} in the final image" if kept else ""
