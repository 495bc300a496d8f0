"""GitHub's git data API: blobs, a tree, one commit, and the branch that names it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from github import GithubException, InputGitTreeElement
from github.GitRef import GitRef
from github.GitTree import GitTree
from github.GitTreeElement import GitTreeElement
from github.NamedUser import NamedUser
from github.Repository import Repository

from bot.errors import BranchTaken, ForgeRefused

_NEW_FILE = "100644"
_WEB_FLOW = "noreply@github.com"  # GitHub itself is the committer of what an App writes


@dataclass(frozen=True, slots=True)
class Change:
    """One commit that is wanted: new bytes of some files on top of a commit."""

    branch: str
    parent: str
    message: str
    files: Mapping[str, bytes]


def ensure_branch(repo: Repository, change: Change, login: str) -> str:
    """Make a branch hold exactly the change, by one commit of ours; returns its head.

    A branch of ours that holds these bytes already stays as it is. No author is named, so that GitHub signs
    the commits of an App.

    Raises:
        BranchTaken: The branch holds a commit that is not ours.
    """
    ref = _ref(repo, change.branch)
    if ref is None:
        sha = _commit(repo, change)
        repo.create_git_ref(f"refs/heads/{change.branch}", sha)
        return sha
    head = ref.object.sha
    check_ours(repo, head, login, branch=change.branch)
    if _holds(repo, head, change.files):
        return head
    sha = _commit(repo, change)
    _move(repo, change.branch, head, sha)
    return sha


def check_ours(repo: Repository, head: str, login: str, *, branch: str) -> None:
    """Raise `BranchTaken` unless a commit was made by us, through the API, and stands on the base branch.

    Somebody who amends our commit keeps its author and date but becomes its committer, at another date;
    somebody who commits on top has our commit as parent, which is told by the pull request's count.
    """
    found = repo.get_commit(head)
    author, committer = _login(found.author), _login(found.committer)
    signed = found.commit.committer.email == _WEB_FLOW
    at_once = found.commit.author.date == found.commit.committer.date
    by_us = author == login and (committer == login or signed)
    if not (by_us and at_once and len(found.parents) == 1):
        who = committer or author or "somebody"
        raise BranchTaken(f"branch {branch} of {repo.full_name} is at {head[:12]}, a commit by {who}")


def _login(person: NamedUser | None) -> str:
    """Who it is; empty where GitHub knows no account for the address."""
    return person.login if person is not None else ""


def delete_branch(repo: Repository, branch: str, head: str) -> None:
    """Delete a branch that is still at `head`; nothing happens where it is gone or moved."""
    ref = _ref(repo, branch)
    if ref is not None and ref.object.sha == head:
        ref.delete()


def _ref(repo: Repository, branch: str) -> GitRef | None:
    try:
        return repo.get_git_ref(f"heads/{branch}")
    except GithubException as error:
        if error.status == 404:
            return None
        raise


def _move(repo: Repository, branch: str, old: str, new: str) -> None:
    """Force a branch from one commit of ours to the next; looks again, for GitHub cannot compare and swap."""
    ref = _ref(repo, branch)
    if ref is None or ref.object.sha != old:
        raise BranchTaken(f"branch {branch} of {repo.full_name} moved while it was written to")
    ref.edit(new, force=True)


def _commit(repo: Repository, change: Change) -> str:
    parent = repo.get_git_commit(change.parent)
    present = _entries(repo, parent.tree, change.files)
    elements = []
    for path, content in change.files.items():
        entry = present.get(path)
        if entry is not None and not entry.mode.startswith("100"):
            raise ForgeRefused(f"{path} in {repo.full_name} is no regular file; Refit edits nothing else")
        blob = repo.create_git_blob(base64.b64encode(content).decode(), "base64")
        mode = entry.mode if entry else _NEW_FILE
        elements.append(InputGitTreeElement(path, mode, "blob", sha=blob.sha))
    tree = repo.create_git_tree(elements, base_tree=parent.tree)
    return repo.create_git_commit(change.message, tree, [parent]).sha


def _holds(repo: Repository, head: str, files: Mapping[str, bytes]) -> bool:
    """True where a commit has exactly these bytes in these files."""
    found = _entries(repo, repo.get_git_commit(head).tree, files)
    return {path: entry.sha for path, entry in found.items()} == {
        path: _blob_id(content) for path, content in files.items()
    }


def _entries(repo: Repository, tree: GitTree, files: Mapping[str, bytes]) -> dict[str, GitTreeElement]:
    """The tree entries of some paths; each folder on the way is asked for once."""
    folders: dict[str, dict[str, GitTreeElement]] = {}
    found = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        entry = _folder(repo, tree, folder, folders).get(name)
        if entry is not None:
            found[path] = entry
    return found


def _folder(
    repo: Repository, root: GitTree, path: str, known: dict[str, dict[str, GitTreeElement]]
) -> dict[str, GitTreeElement]:
    if path not in known:
        sha: str | None = root.sha
        if path:
            above, _, name = path.rpartition("/")
            entry = _folder(repo, root, above, known).get(name)
            sha = entry.sha if entry is not None and entry.type == "tree" else None
        known[path] = {item.path: item for item in repo.get_git_tree(sha).tree} if sha else {}
    return known[path]


def _blob_id(content: bytes) -> str:
    """The id that git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
