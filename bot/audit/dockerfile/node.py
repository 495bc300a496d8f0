"""Development dependencies of Node projects: which command brings them, and which takes them away."""

from __future__ import annotations

from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.shell import Command

_WITHOUT: Final = (
    "--omit=dev",
    "--production",
    "--production=true",
    "--only=production",
    "--only=prod",
    "--prod",
    "-P",
)
_WITH: Final = ("--include=dev", "--production=false", "--prod=false", "--dev", "-D")


def without_dev(command: Command) -> bool:
    """True where an install leaves development dependencies out: by a flag, or by NODE_ENV."""
    words = set(command.arguments)
    if not words.isdisjoint(_WITH):
        return False
    if command.name == "yarn" and command.plain[:2] == ("workspaces", "focus"):
        return "--production" in words
    told = (
        not words.isdisjoint(_WITHOUT)
        or _pair(command, "--omit", "dev")
        or _pair(command, "--only", "production")
    )
    settings = command.env
    return (
        told
        or settings.get("NODE_ENV") == "production"
        or settings.get("NPM_CONFIG_OMIT", "").lower() == "dev"
        or settings.get("NPM_CONFIG_PRODUCTION", "").lower() == "true"
    )


def _pair(command: Command, option: str, value: str) -> bool:
    return any(pair == (option, value) for pair in zip(command.words, command.words[1:], strict=False))


def takes_everything(command: Command) -> bool:
    """True for an install that brings development dependencies; False where a flag is not known."""
    unknown = any(word.startswith("$") for word in command.arguments)
    fetches = command.plain[:1] == ("fetch",)
    return bool(installs.node(command)) and not without_dev(command) and not unknown and not fetches


def prunes(command: Command) -> bool:
    """True for what takes development dependencies away after an install."""
    name, plain = command.name, command.plain
    if name in {"npm", "pnpm"} and plain[:1] == ("prune",):
        return without_dev(command)
    if name == "rm" and any(word.rstrip("/").endswith("node_modules") for word in plain):
        return True
    reinstalls = bool(installs.node(command)) and without_dev(command)
    return reinstalls and name in {"yarn", "npm", "pnpm"} and plain[:1] != ("fetch",)
