"""A bare, shallow copy of a project in the state folder, brought up to date over HTTP."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from bot import process
from bot.errors import ForgeRefused, ForgeUnavailable, ProcessFailed
from bot.forge.git import Git, environment

_SECONDS: Final = 600.0
_LOCK_SECONDS: Final = 900.0
_FETCHED: Final = "refs/refit/base"
_TOKEN: Final = "REFIT_GIT_PASSWORD"  # noqa: S105 - the name of a variable
# Git asks twice; the secret comes from the environment and never stands in an argument or a file.
_ASKPASS: Final = f"""#!/bin/sh
case "$1" in
  Username*) echo x-access-token ;;
  *) printf '%s\\n' "${_TOKEN}" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a project is fetched from.

    Attributes:
        url: Its address, without any secret.
        token: The password for it; empty for none.
    """

    url: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Remote({self.url})"


def fetch(remote: Remote, folder: Path, what: str) -> tuple[Git, str]:
    """Bring a mirror up to date with one branch, or one commit.

    Args:
        remote: Where from; http and https only.
        folder: The bare repository; made when it is not there.
        what: `refs/heads/main`, or a full commit id.

    Returns:
        The mirror and the commit that was fetched.

    Raises:
        ForgeRefused: There is no such project or branch, or the token may not read it.
        ForgeUnavailable: No answer in time.
    """
    scheme = urlsplit(remote.url).scheme
    if scheme not in ("http", "https"):
        raise ForgeRefused(f"{remote.url} is no http address", hint="Only http and https are fetched from.")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(f"{folder}.lock", timeout=_LOCK_SECONDS):
            return _fetch(remote, folder, what, scheme)
    except Timeout as error:
        raise ForgeUnavailable(f"another process has fetched {remote.url} for {_LOCK_SECONDS:g} s") from error


def _fetch(remote: Remote, folder: Path, what: str, scheme: str) -> tuple[Git, str]:
    git = Git(folder, seconds=_SECONDS, settings=(f"protocol.{scheme}.allow=always",))
    if not (folder / "HEAD").exists():
        _create(folder)
    arguments = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--depth=1", "--force"]
    env = {"GIT_ASKPASS": str(_askpass(folder.parent)), _TOKEN: remote.token} if remote.token else {}
    done = git.attempt("fetch", "--quiet", *arguments, "--", remote.url, f"{what}:{_FETCHED}", env=env)
    if done.code != 0:
        raise _meaning(remote, what, done.tail)
    commit = git.commit(_FETCHED)
    if commit is None:
        raise ForgeRefused(f"{remote.url} has no commit at {what}")
    return git, commit


def _create(folder: Path) -> None:
    try:
        process.run(["git", "init", "--quiet", "--bare", folder], timeout=60, env=environment())
    except ProcessFailed as error:
        raise ForgeUnavailable(f"cannot make a mirror: {error.message}", hint=error.hint) from error


def _askpass(folder: Path) -> Path:
    script = folder / "askpass"
    if not script.exists() or script.read_text() != _ASKPASS:
        new = script.with_suffix(f".{os.getpid()}")
        new.write_text(_ASKPASS)
        new.chmod(0o700)
        new.replace(script)
    return script


def _meaning(remote: Remote, what: str, said: str) -> ForgeRefused | ForgeUnavailable:
    last = said.strip().rpartition("\n")[2][:300]
    text = f"cannot fetch {what} from {remote.url}: {last}"
    if not remote.token and "could not read Username" in said:
        hint = "It is not public, and there is no token here: set `github.token`, with contents: read."
        return ForgeRefused(text, hint=hint)
    if "could not read Username" in said or "Authentication failed" in said:
        return ForgeRefused(text, hint="Check the token: it must be able to read the project's contents.")
    if "not found" in said or "couldn't find remote ref" in said or "error: 403" in said:
        return ForgeRefused(
            text, hint="Check the project's name and base branch, and what the token may read."
        )
    return ForgeUnavailable(text, hint="Check the network and the forge's status; the next run tries again.")
