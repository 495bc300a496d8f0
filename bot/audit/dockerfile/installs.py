"""What package managers are told to do: install a project's dependencies, build, bring tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.audit.dockerfile.shell import Command

_NODE: Final = frozenset({"npm", "yarn", "pnpm", "bun"})
_NODE_INSTALLS: Final = frozenset({"ci", "install", "i", "clean-install", "fetch"})
_PYTHON_INSTALLS: Final = frozenset(
    {"poetry install", "uv sync", "pipenv install", "pipenv sync", "pdm install"}
)
_SYSTEM: Final = {
    "apt-get": "install", "apt": "install", "aptitude": "install", "apk": "add", "yum": "install",
    "dnf": "install", "microdnf": "install", "tdnf": "install", "zypper": "install",
}  # fmt: skip
_REMOVALS: Final = frozenset({"purge", "remove", "autoremove", "del", "erase"})
_TAKES_VALUE: Final = frozenset(
    {"-t", "--target-release", "--virtual", "-o", "-c", "--repository", "-X", "--root"}
)
_MAVEN_BUILDS: Final = frozenset({"package", "install", "verify", "compile", "deploy"})
_GRADLE_BUILDS: Final = re.compile(
    r"(?:.*:)?(?:build|assemble|bootJar|bootWar|jar|war|shadowJar|installDist|distZip)"
)
_BUNDLERS: Final = frozenset(
    {
        "vite",
        "webpack",
        "tsc",
        "ng",
        "next",
        "nuxt",
        "rollup",
        "parcel",
        "esbuild",
        "react-scripts",
        "vue-cli-service",
        "astro",
        "turbo",
    }
)
COMPILERS: Final = re.compile(
    r"build-essential|build-base|gcc(?:-\d+)?|g\+\+(?:-\d+)?|clang(?:-\d+)?|cmake|rustc|cargo|rust|golang(?:-go)?|go"
    r"|default-jdk(?:-headless)?|openjdk-?\d+(?:-jdk(?:-headless)?)?|maven|gradle|gcc-c\+\+|.+-dev|.+-devel"
)


@dataclass(frozen=True, slots=True)
class Packages:
    """System packages that one command brings: their names, without versions."""

    manager: str
    names: tuple[str, ...]
    group: str = ""


def node(command: Command) -> str:
    """The package manager that a command installs a Node project's dependencies with; else empty."""
    name, plain = command.name, command.plain
    if name not in _NODE or command.has("-g", "--global", "--location=global"):
        return ""
    if name == "yarn" and not plain:
        return "" if command.has("--version", "-v") else name
    if name == "yarn" and plain[:2] == ("workspaces", "focus"):
        return name
    named = plain[1:] if plain else ()
    return name if plain and plain[0] in _NODE_INSTALLS and not named else ""


def pip(command: Command) -> tuple[str, ...] | None:
    """The arguments of a `pip install`, however it is called; None for anything else."""
    words = command.words
    if re.fullmatch(r"python[\d.]*", command.name) and words[1:3] == ("-m", "pip"):
        words = words[2:]
    if words[:2] == ("uv", "pip"):
        words = words[1:]
    if re.fullmatch(r"pip[\d.]*", words[0].rpartition("/")[2]) and "install" in words[1:4]:
        return words[words.index("install") + 1 :]
    return None


def ecosystem(command: Command) -> str:
    """Whose dependencies a command fetches for a project; empty where it fetches none."""
    name, plain = command.name, command.plain
    if node(command):
        return "node"
    arguments = pip(command)
    if arguments is not None:
        wants = any(
            word in {"-r", "--requirement"} or word.startswith(("-r", "--requirement=")) for word in arguments
        )
        return "python" if wants else ""
    if f"{name} {plain[0] if plain else ''}" in _PYTHON_INSTALLS:
        return "python"
    return _compiled(name, plain, command)


def _compiled(name: str, plain: tuple[str, ...], command: Command) -> str:
    if name == "cargo" and (
        plain[:1] in {("build",), ("fetch",), ("vendor",)} or plain[:2] == ("chef", "cook")
    ):
        return "rust"
    if name == "go" and plain and plain[0] in {"build", "install", "mod", "get"}:
        return "" if command.has("-mod=vendor") or (plain[0] == "install" and "@" in plain[-1]) else "go"
    if name in {"mvn", "mvnw"} and plain:
        return "maven"
    if name in {"gradle", "gradlew"} and plain:
        return "gradle"
    if (name, plain[:1]) == ("bundle", ("install",)):
        return "ruby"
    return "php" if (name, plain[:1]) == ("composer", ("install",)) else ""


def builds(command: Command) -> str:
    """What a command builds from sources, in words; empty where it builds nothing."""
    name, plain = command.name, command.plain
    if name == "cargo" and plain[:1] in {("build",), ("install",)}:
        return f"cargo {plain[0]}"
    if name == "go" and plain[:1] in {("build",), ("install",)}:
        return f"go {plain[0]}"
    if name in {"mvn", "mvnw"} and _MAVEN_BUILDS & set(plain):
        return "mvn " + next(word for word in plain if word in _MAVEN_BUILDS)
    if name in {"gradle", "gradlew"} and (
        task := next((w for w in plain if _GRADLE_BUILDS.fullmatch(w)), "")
    ):
        return f"gradle {task}"
    if name == "dotnet" and plain[:1] in {("publish",), ("build",)}:
        return f"dotnet {plain[0]}"
    return bundles(command)


def bundles(command: Command) -> str:
    """What a command bundles for browsers or compiles from TypeScript, in words; else empty."""
    words = command.words[1:] if command.name in {"npx", "bunx"} else command.words
    if words and words[0] in {"yarn", "pnpm"} and words[1:2] in {("exec",), ("dlx",)}:
        words = words[2:]
    plain = tuple(word for word in words if not word.startswith("-"))
    if plain and plain[0] in _BUNDLERS:
        built = plain[0] in {"webpack", "tsc", "rollup", "parcel", "esbuild"} or "build" in plain[1:]
        return " ".join(plain[:2]) if built else ""
    if not plain or plain[0] not in _NODE:
        return ""
    script = (
        plain[2:3]
        if plain[1:2] in {("run",), ("run-script",)}
        else plain[1:2]
        if plain[0] in {"yarn", "pnpm"}
        else ()
    )
    return f"{plain[0]} run {script[0]}" if script and script[0].startswith("build") else ""


def system(command: Command) -> Packages | None:
    """The system packages a command installs; None for anything else."""
    verb = _SYSTEM.get(command.name)
    if verb is None or verb not in command.arguments:
        return None
    group, names = "", []
    words = iter(command.arguments)
    for word in words:
        if word in _TAKES_VALUE:
            value = next(words, "")
            group = value if command.name == "apk" and word in {"-t", "--virtual"} else group
        elif word.startswith(("--virtual=",)):
            group = word.partition("=")[2]
        elif not word.startswith("-") and word != verb:
            names.append(re.split(r"[=<>~]", word)[0])
    return Packages(command.name, tuple(names), group)


def removed(commands: Iterator[Command] | tuple[Command, ...]) -> set[str]:
    """The packages and groups that commands take away again."""
    return {
        word
        for command in commands
        if command.name in _SYSTEM and _REMOVALS & set(command.plain[:1])
        for word in command.plain[1:]
    }
