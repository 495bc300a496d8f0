"""RF113: a health check must be able to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import bases, installs
from bot.audit.dockerfile.running import last
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF113",
    name="Use a health check that the image can run",
    severity=RuleSeverity.ERROR,
    section="7. Health Checks (the guide itself is wrong here: `curl` on bookworm-slim)",
    what="The HEALTHCHECK calls curl, wget, nc or a shell, and the image is known not to have it.",
    why=(
        "Such a check fails for ever: the container is unhealthy from the start, and an orchestrator "
        "restarts it."
    ),
    fix='Let the program ask itself (`CMD ["/app", "--health"]`), or install the tool in the final stage.',
    bad="FROM debian:bookworm-slim\nHEALTHCHECK CMD curl -f http://localhost:2000/health || exit 1",
    good='FROM debian:bookworm-slim\nHEALTHCHECK CMD ["/usr/local/bin/backend", "--health"]',
)
_TOOLS: Final = {
    "curl": ("curl",),
    "wget": ("wget",),
    "nc": ("netcat-openbsd", "netcat-traditional", "netcat", "nmap-ncat"),
}
_WHOLE_FOLDERS: Final = frozenset({"/", "/bin", "/usr", "/usr/bin", "/usr/local/bin", "/sbin", "/busybox"})


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The HEALTHCHECK in force, where what it calls is known to be missing."""
    step = last(dockerfile, "HEALTHCHECK")
    if step is None or not step.commands or _anything(dockerfile):
        return
    use = dockerfile.root(dockerfile.final).use
    if step.shell and bases.has_no_shell(use) and not _has(dockerfile, "sh"):
        message = f"{use.text.partition('@')[0]} has no shell to run this with"
        yield found(RULE, dockerfile.file, step.line, message, context=step.text)
        return
    called = [command.name for command in step.commands if command.name in _TOOLS]
    if called and all(bases.lacks(use, tool) and not _has(dockerfile, tool) for tool in called):
        message = f"{called[0]} is not in {use.text.partition('@')[0]}, and nothing installs it"
        yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _has(dockerfile: Dockerfile, tool: str) -> bool:
    """True where a step installs or copies a tool, and none takes it away again."""
    there = False
    for step in dockerfile.steps(dockerfile.final):
        there = there or _copies(step, tool) or _installs(step, tool)
        there = there and tool not in installs.removed(step.commands)
    return there


def _installs(step: Step, tool: str) -> bool:
    names = (tool, *_TOOLS.get(tool, ()), "busybox")
    for command in step.commands:
        packages = installs.system(command)
        if packages and any(name in names or name.startswith("$") for name in packages.names or ("$",)):
            return True
        if tool in command.outputs or any(output.endswith(f"/{tool}") for output in command.outputs):
            return True
    return False


def _copies(step: Step, tool: str) -> bool:
    if step.keyword not in {"COPY", "ADD"}:
        return False
    return any(word.rstrip("/").rpartition("/")[2] in {tool, "busybox"} for word in step.words)


def _anything(dockerfile: Dockerfile) -> bool:
    """True where whole system folders are copied in: what the image has cannot be told."""
    copies = (
        step for step in dockerfile.steps(dockerfile.final) if step.keyword == "COPY" and step.values("from")
    )
    return any((word.rstrip("/") or "/") in _WHOLE_FOLDERS for step in copies for word in step.words[:-1])
