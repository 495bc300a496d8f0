"""RF116: leave no package caches behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF116",
    name="Leave no package caches behind",
    severity=RuleSeverity.WARNING,
    section="Next Steps: implement BuildKit cache mounts; Large Image Size: unnecessary files",
    what="A step that reaches the image installs packages and leaves lists or downloads in its layer.",
    why="Nobody reads them again (apt's lists: some 20 MB), and removing them in a later step saves nothing.",
    fix="Mount a cache (`RUN --mount=type=cache,target=…`), or clean up in the same RUN.",
    bad="RUN apt-get update && apt-get install -y curl",
    good="RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
)
_YUM: Final = frozenset({"yum", "dnf", "microdnf", "tdnf"})
_OFF: Final = frozenset({"", "0", "false", "no", "off"})


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """Every RUN of the final stage, and of those it stands on, that leaves something behind."""
    for step in dockerfile.steps(dockerfile.final):
        message = next((told for command in step.commands if (told := _left(step, command))), "")
        if step.keyword == "RUN" and message:
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _left(step: Step, command: Command) -> str:
    """What a command leaves behind, in words; empty where that is nothing."""
    arguments = installs.pip(command)
    if arguments is not None:
        return _pip(step, command, arguments)
    packages = installs.system(command)
    match packages.manager if packages else "":
        case "apt-get" | "apt" | "aptitude":
            return _apt(step, command)
        case "apk":
            return _apk(step, command)
        case manager if manager in _YUM:
            return _yum(step, manager)
        case _:
            return ""


def _apt(step: Step, command: Command) -> str:
    clean = _removes(step, "/var/lib/apt/lists", "/var/lib/apt") or _mounted(step, "/var/lib/apt")
    return "" if clean else f"`{command.name} install` leaves its lists in /var/lib/apt/lists"


def _apk(step: Step, command: Command) -> str:
    mounted = _mounted(step, "/var/cache/apk", "/etc/apk/cache")
    clean = command.has("--no-cache") or _removes(step, "/var/cache/apk") or mounted
    return "" if clean else "`apk add` leaves its index in /var/cache/apk"


def _yum(step: Step, manager: str) -> str:
    cache = ("/var/cache/dnf", "/var/cache/yum", "/var/cache")
    cleans = any(one.name in _YUM and "clean" in one.plain for one in step.commands)
    clean = cleans or _removes(step, *cache) or _mounted(step, *cache)
    return "" if clean else f"`{manager} install` leaves its cache behind"


def _pip(step: Step, command: Command, arguments: tuple[str, ...]) -> str:
    told = "--no-cache-dir" in arguments or command.has("--no-cache-dir", "--no-cache")
    by_environment = any(
        command.env.get(name, "").lower() not in _OFF for name in ("PIP_NO_CACHE_DIR", "UV_NO_CACHE")
    )
    clean = told or by_environment or _removes(step, "/root/.cache", "~/.cache") or bool(step.caches)
    nothing = any(word.endswith(".whl") or "/wheels" in word for word in arguments)
    purges = any(one.words[:3] == ("pip", "cache", "purge") for one in step.commands)
    if clean or nothing or purges:
        return ""
    tool = "uv" if command.name == "uv" else "pip"
    return f"`{tool}{' pip' if tool == 'uv' else ''} install` leaves its downloads in ~/.cache/{tool}"


def _removes(step: Step, *folders: str) -> bool:
    words = (word for one in step.commands if one.name in {"rm", "find"} for word in one.arguments)
    return any(word.startswith(folder) for word in words for folder in folders)


def _mounted(step: Step, *folders: str) -> bool:
    targets = [target.rstrip("/") for target in step.mounted("cache", "tmpfs") if target]
    return any(
        one.startswith(folder) or folder.startswith(f"{one}/") for one in targets for folder in folders
    )
