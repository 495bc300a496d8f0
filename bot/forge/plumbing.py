"""A commit and its branch made without work tree, index or HEAD."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.errors import BranchTaken, ForgeRefused
from bot.forge.git import Git

_NEW_FILE: Final = "100644"
_LINK: Final = "120000"


@dataclass(frozen=True, slots=True)
class Identity:
    """Author and committer of our commits."""

    name: str = "Refit"
    email: str = "refit@localhost"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who commits, and when."""

    who: Identity
    when: datetime

    def environment(self) -> dict[str, str]:
        """Git's variables for author and committer."""
        fields = {
            "NAME": self.who.name,
            "EMAIL": self.who.email,
            "DATE": f"{int(self.when.timestamp())} +0000",
        }
        return {f"GIT_{role}_{key}": fields[key] for role in ("AUTHOR", "COMMITTER") for key in fields}


def write_commit(
    git: Git, parent: str, files: Mapping[str, bytes], message: str, signature: Signature
) -> str:
    """Write one commit on `parent` with new bytes of some files, and return its id; no branch moves."""
    tree = _write_tree(git, parent, files)
    text = message.encode()
    return git.line("commit-tree", tree, "-p", parent, "-F", "-", stdin=text, env=signature.environment())


def committer(git: Git, commit: str) -> str:
    """The address in a commit's committer line."""
    head, _, _ = git.run("cat-file", "commit", commit).decode(errors="replace").partition("\n\n")
    line = next(line for line in head.splitlines() if line.startswith("committer "))
    return line.rpartition("<")[2].partition(">")[0]


def move_branch(git: Git, branch: str, commit: str, old: str | None) -> None:
    """Point a branch at a commit, only if it still is where we saw it (`old`; None: it does not exist).

    Raises:
        BranchTaken: It moved since, or somebody has it checked out.
    """
    name = f"refs/heads/{branch}"
    _check_free(git, branch)
    if git.ask("update-ref", name, commit, old or "0" * len(commit)) is None:
        raise BranchTaken(f"branch {branch} changed while it was written to", hint="Run again.")


def delete_branch(git: Git, branch: str, old: str) -> None:
    """Delete a branch, only if it still points at `old`; `BranchTaken` otherwise."""
    _check_free(git, branch)
    if git.ask("update-ref", "-d", f"refs/heads/{branch}", old) is None:
        raise BranchTaken(f"branch {branch} changed while it was deleted", hint="Run again.")


def blobs(git: Git, revision: str, paths: Mapping[str, object]) -> dict[str, str]:
    """The object ids of some paths in a commit; a path that is not there is left out."""
    return {path: oid for path, (_, oid) in _listed(git, revision, paths).items()}


def _check_free(git: Git, branch: str) -> None:
    """A branch that is checked out must not move under the person who works on it."""
    where = git.ask("for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}")
    if where:
        raise BranchTaken(
            f"branch {branch} is checked out in {where}",
            hint="Switch to another branch there, then run again.",
        )


def _write_tree(git: Git, parent: str, files: Mapping[str, bytes]) -> str:
    present = _listed(git, parent, files)
    lines = []
    for path, content in files.items():
        mode, _ = present.get(path, (_NEW_FILE, ""))
        if mode == _LINK:
            raise ForgeRefused(f"{path} is a symbolic link; Refit edits regular files only")
        lines.append(f"{mode} {git.line('hash-object', '-w', '--stdin', stdin=content)}\t{path}\0")
    with tempfile.TemporaryDirectory(prefix="refit-index-") as folder:
        env = {"GIT_INDEX_FILE": f"{folder}/index"}
        git.run("read-tree", parent, env=env)
        git.run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=env)
        return git.line("write-tree", env=env)


def _listed(git: Git, revision: str, paths: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Mode and object id of some paths in a commit."""
    out = git.run("ls-tree", "-z", "--full-tree", revision, "--", *paths) if paths else b""
    found = {}
    for line in out.decode(errors="surrogateescape").split("\0"):
        facts, _, name = line.partition("\t")
        if name in paths:
            mode, _, oid = facts.split()
            found[name] = (mode, oid)
    return found
