"""Git as plumbing on one repository, closed against what the repository's authors put into it.

Every call names its GIT_DIR, so git never searches for one and never asks who owns it. It runs with nobody's
configuration, no hooks, no file monitor, no credential helper, and no transport but those that a call allows.
What is left of a repository's own configuration cannot start a program in the plumbing used here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot import process
from bot.errors import ForgeRefused, ForgeUnavailable, ProcessFailed

_NOWHERE: Final = "/nonexistent"
_SECONDS: Final = 120.0
_LIMIT: Final = 256 * 1024**2
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "protocol.allow=never",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "http.followRedirects=false",  # a redirect to another host must not be asked for our token
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)
_ENVIRONMENT: Final = {
    "HOME": _NOWHERE,
    "XDG_CONFIG_HOME": _NOWHERE,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class Git:
    """One repository.

    Attributes:
        directory: Its GIT_DIR: a bare repository, or the `.git` of a checkout.
        seconds: Time limit of one command.
        settings: More `key=value` configuration of this repository's calls.
    """

    directory: Path
    seconds: float = _SECONDS
    settings: tuple[str, ...] = field(default=())

    def run(
        self, *arguments: str, stdin: bytes = b"", limit: int = _LIMIT, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run one git command and return what it wrote.

        Raises:
            ForgeRefused: Git ended with an error; the message has its last line.
            ForgeUnavailable: Git is not there, or did not end in time.
        """
        done = self.attempt(*arguments, stdin=stdin, limit=limit, env=env)
        if done.code != 0:
            raise ForgeRefused(f"git {arguments[0]} failed in {self.directory}: {_last_line(done.tail)}")
        return done.stdout

    def line(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run one git command and return its output as text without the last newline."""
        return self.run(*arguments, stdin=stdin, env=env).decode(errors="surrogateescape").rstrip("\n")

    def ask(self, *arguments: str) -> str | None:
        """Run one git command whose failure means "no": its output, or None."""
        done = self.attempt(*arguments)
        return done.text.rstrip("\n") if done.code == 0 else None

    def commit(self, revision: str) -> str | None:
        """The full id of the commit that a revision names, or None."""
        return self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")

    def attempt(
        self, *arguments: str, stdin: bytes = b"", limit: int = _LIMIT, env: Mapping[str, str] | None = None
    ) -> process.Finished:
        """Run one git command to its end, whatever its exit code."""
        settings = [word for setting in (*_SETTINGS, *self.settings) for word in ("-c", setting)]
        try:
            return process.run(
                ["git", "--no-pager", *settings, *arguments],
                timeout=self.seconds,
                env=environment(GIT_DIR=str(self.directory), **(env or {})),
                stdin=stdin,
                limit=limit,
                check=False,
            )
        except ProcessFailed as error:
            raise ForgeUnavailable(f"git {arguments[0]}: {error.message}", hint=error.hint) from error


def environment(**more: str) -> dict[str, str]:
    """The environment of git: programs and certificates are found, nothing else gets in."""
    passed = process.environment(**_ENVIRONMENT)
    if "SSL_CERT_FILE" in passed:  # git has a name of its own for it
        passed["GIT_SSL_CAINFO"] = passed["SSL_CERT_FILE"]
    return passed | more


def git_directory(location: Path) -> Path:
    """The GIT_DIR of a checkout, a linked work tree or a bare repository, without git searching for it.

    Raises:
        ForgeRefused: The folder is none of these.
    """
    dot_git = location / ".git"
    if dot_git.is_dir():
        return dot_git
    if dot_git.is_file():
        kind, _, target = dot_git.read_text(errors="surrogateescape").partition(": ")
        if kind == "gitdir":
            return (location / target.rstrip("\n")).resolve()
    if (location / "HEAD").is_file() and (location / "objects").is_dir():
        return location
    raise ForgeRefused(
        f"{location} is not the top folder of a git repository",
        hint=_location_hint(location),
    )


def _location_hint(location: Path) -> str:
    for parent in location.resolve().parents:
        if (parent / ".git").exists():
            inside = location.resolve().relative_to(parent)
            return f"Set the project's location to {parent} and its folder to {inside}."
    return "Point the project's location at a git checkout, or run `git init` and commit there."


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:300] or "no message"
