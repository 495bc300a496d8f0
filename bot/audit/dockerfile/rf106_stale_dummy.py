"""RF106: a placeholder source must not be what is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF106",
    name="Do not ship the placeholder of a cargo build",
    severity=RuleSeverity.ERROR,
    section="2. Dependency Caching (the guide itself is wrong here: the dummy `main.rs`)",
    what=(
        "A placeholder `main.rs` is built for its dependencies, and the real sources are built over it "
        "as they are."
    ),
    why=(
        "Cargo rebuilds what is newer than its last build. Sources checked out before it are older: "
        "the placeholder's binary stays, and the image exits at once."
    ),
    fix="Run `touch src/main.rs` before the second build, or use cargo-chef.",
    bad=(
        "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -r src\n"
        "COPY src ./src\nRUN cargo build --release"
    ),
    good=(
        "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -r src\n"
        "COPY src ./src\nRUN touch src/main.rs && cargo build --release"
    ),
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """In each stage, the first build after real sources replaced a placeholder that was built."""
    seen: set[int] = set()
    for stage in dockerfile.stages:
        step = _stale(dockerfile, stage)
        if step is not None and step.line not in seen:
            seen.add(step.line)
            message = (
                "cargo may keep the placeholder's binary: the copied sources can be older than its build"
            )
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _stale(dockerfile: Dockerfile, stage: Stage) -> Step | None:
    placeholder = built = copied = False
    for step in dockerfile.steps(stage):
        copied = copied or (built and bool(step.copied))
        for command in step.commands:
            placeholder = placeholder or _writes_placeholder(command)
            if placeholder and ((copied and _makes_newer(command)) or _takes_away(command)):
                return None
            if placeholder and command.words[:2] == ("cargo", "build"):
                if copied:
                    return step
                built = True
    return None


def _writes_placeholder(command: Command) -> bool:
    written = any(output.endswith(("main.rs", "lib.rs")) for output in command.outputs)
    return written and command.name in {"echo", "printf", "cat", "touch"}


def _makes_newer(command: Command) -> bool:
    """True for what makes sources newer than any build before."""
    if command.name == "touch":
        return any(word.endswith("main.rs") or word.startswith(("src", "./src")) for word in command.plain)
    return command.name == "find" and "touch" in command.words


def _takes_away(command: Command) -> bool:
    """True for what removes the placeholder's build."""
    if command.words[:2] == ("cargo", "clean"):
        return True
    return command.name == "rm" and any("target" in word.split("/") for word in command.plain)
