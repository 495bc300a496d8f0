"""RF108: strip binaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF108",
    name="Strip the binary",
    severity=RuleSeverity.NOTE,
    section="3. Binary Optimization",
    what="A compiled binary is shipped with its symbols and debug information.",
    why="Symbols make some 30 % of a release binary, and nothing in production reads them.",
    fix=(
        "Run `strip` on it, or build it stripped: `strip = true` under [profile.release], `go build "
        '-ldflags="-s -w"`.'
    ),
    bad=(
        "RUN cargo build --release\nFROM debian:bookworm-slim\nCOPY --from=build /app/target/release/api "
        "/usr/local/bin/"
    ),
    good=(
        "RUN cargo build --release && strip target/release/api\nFROM debian:bookworm-slim\n"
        "COPY --from=build /app/target/release/api /usr/local/bin/"
    ),
)
_PROFILE: Final = re.compile(r"^\s*strip\s*=\s*(?:true|\"(?:symbols|debuginfo)\")", re.MULTILINE)
_MANIFEST: Final = re.compile(r"(?:.*/)?(?:Cargo\.toml|\.cargo/config(?:\.toml)?)")
_LINKER: Final = re.compile(r"-C\s*(?:strip=|link-args?=-s)|--?strip")


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The last cargo or go build of each stage that is shipped, where nothing strips what it makes."""
    if _strips(dockerfile, dockerfile.final) or _in_manifest(dockerfile):
        return
    seen: set[int] = set()
    for stage in dockerfile.shipped():
        step = _unstripped(dockerfile, stage)
        if step is not None and step.line not in seen:
            seen.add(step.line)
            message = "the binary keeps its symbols and debug information"
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _in_manifest(dockerfile: Dockerfile) -> bool:
    return any(_PROFILE.search(text) for text in dockerfile.context.named(_MANIFEST))


def _strips(dockerfile: Dockerfile, stage: Stage) -> bool:
    return any(
        command.name in {"strip", "upx"} or command.name.endswith("-strip")
        for _, command in dockerfile.commands(stage)
    )


def _unstripped(dockerfile: Dockerfile, stage: Stage) -> Step | None:
    if _strips(dockerfile, stage):
        return None
    step: Step | None = None
    for one, command in dockerfile.commands(stage):
        if _compiles(command):
            step = None if _stripped(command) else one
    return step


def _compiles(command: Command) -> bool:
    if command.words[:2] == ("cargo", "build"):
        return command.has("--release", "-r", "--profile")
    installs_itself = command.words[:2] == ("cargo", "install") and command.has("--path")
    return installs_itself or command.words[:2] == ("go", "build")


def _stripped(command: Command) -> bool:
    env = command.env
    if command.name == "cargo":
        told = env.get("CARGO_PROFILE_RELEASE_STRIP", "") not in {"", "false", "none"}
        return (
            told or bool(_LINKER.search(env.get("RUSTFLAGS", ""))) or "strip" in " ".join(command.arguments)
        )
    flags = " ".join((*command.arguments, env.get("GOFLAGS", "")))
    unknown = bool(re.search(r"-ldflags[= ]*\S*\$", flags))
    return unknown or bool(re.search(r"-ldflags.*(?:\s|=|'|\")-[sw]\b", flags))
