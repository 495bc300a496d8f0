"""GitHub's git data API: blobs, a tree, one commit, and the branch that names it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from github import GithubException, InputGitTreeElement
from github.GitCommit import GitCommit
from github.GitRef import GitRef
from github.GitTree import GitTree
from github.GitTreeElement import GitTreeElement
from github.Repository import Repository

from bot.errors import BranchTaken, ForgeRefused
from bot.forge.api import message_of
from bot.forge.known import blob_id
from bot.forge.place import is_by, login_of
from bot.model.run import PullRequest

_NEW_FILE = "100644"
_WEB_FLOW = "noreply@github.com"  # GitHub itself is the committer of what an App writes


@dataclass(frozen=True, slots=True)
class Change:
    """One commit that is wanted: new bytes of some files on top of a commit.

    Attributes:
        branch: The branch that shall hold it.
        parent: The commit it stands on.
        message: Its message.
        files: New bytes by path.
        base_tree: The parent's tree; empty where it must be looked up.
        modes: Git mode of each file; likewise.
        on_any_base: True where a branch with these bytes may stand on an older parent.
        fresh: True where no such branch is expected: then it is made first and looked at only if it is there.
    """

    branch: str
    parent: str
    message: str
    files: Mapping[str, bytes]
    base_tree: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)
    on_any_base: bool = True
    fresh: bool = False


def change(wanted: PullRequest, *, on_any_base: bool, fresh: bool) -> Change:
    """The commit of a pull request."""
    return Change(
        branch=wanted.branch,
        parent=wanted.base_commit,
        message=wanted.message,
        files=wanted.files,
        base_tree=wanted.base_tree,
        modes=wanted.modes,
        on_any_base=on_any_base,
        fresh=fresh,
    )


def ensure_branch(repo: Repository, change: Change, login: str) -> str:
    """Make a branch hold exactly the change, by one commit of ours; returns its head.

    A branch of ours that holds these bytes already stays as it is. No author is named, so that GitHub signs
    the commits of an App.

    Raises:
        BranchTaken: The branch holds a commit that is not ours.
    """
    if change.fresh and (made := _created(repo, change)):
        return made
    ref = _ref(repo, change.branch)
    if ref is None:
        made = _created(repo, change)
        if made is None:
            raise BranchTaken(f"branch {change.branch} of {repo.full_name} was made by somebody just now")
        return made
    head = ref.object.sha
    check_ours(repo, head, login, branch=change.branch)
    if _holds(repo, head, change):
        return head
    sha = _commit(repo, change)
    _move(repo, change.branch, head, sha)
    return sha


def _created(repo: Repository, change: Change) -> str | None:
    """Make the branch; None where it is there already."""
    sha = _commit(repo, change)
    try:
        repo.create_git_ref(f"refs/heads/{change.branch}", sha)
    except GithubException as error:
        if error.status == 422 and "already exists" in message_of(error).lower():
            return None
        raise
    return sha


def check_ours(repo: Repository, head: str, login: str, *, branch: str) -> None:
    """Raise `BranchTaken` unless a commit was made by us, through the API, and stands on the base branch.

    Somebody who amends our commit keeps its author and date but becomes its committer, at another date;
    somebody who commits on top has our commit as parent, which is told by the pull request's count.
    """
    found = repo.get_commit(head)
    author, committer = login_of(found.author), login_of(found.committer)
    signed = found.commit.committer.email == _WEB_FLOW
    at_once = found.commit.author.date == found.commit.committer.date
    by_us = is_by(found.author, login) and (is_by(found.committer, login) or signed)
    if not (by_us and at_once and len(found.parents) == 1):
        who = committer or author or "somebody"
        raise BranchTaken(f"branch {branch} of {repo.full_name} is at {head[:12]}, a commit by {who}")


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
    known = change.base_tree and change.modes.keys() >= change.files.keys()
    base = _tree(repo, change.base_tree) if known else repo.get_git_commit(change.parent).tree
    modes = change.modes if known else _modes(repo, base, change.files)
    elements = [_element(repo, path, modes[path], content) for path, content in change.files.items()]
    tree = repo.create_git_tree(elements, base_tree=base)
    parent = GitCommit(repo.requester, {}, {"sha": change.parent}, completed=True)
    return repo.create_git_commit(change.message, tree, [parent]).sha


def _tree(repo: Repository, sha: str) -> GitTree:
    """A handle on a tree whose id is known."""
    return GitTree(repo.requester, {}, {"sha": sha}, completed=True)


def _modes(repo: Repository, base: GitTree, files: Mapping[str, bytes]) -> dict[str, str]:
    present = _entries(repo, base, files)
    return {path: present[path].mode if path in present else _NEW_FILE for path in files}


def _element(repo: Repository, path: str, mode: str, content: bytes) -> InputGitTreeElement:
    """Text goes along with the tree; other bytes need a blob of their own first."""
    if not mode.startswith("100"):
        raise ForgeRefused(f"{path} in {repo.full_name} is no regular file; Refit edits nothing else")
    try:
        return InputGitTreeElement(path, mode, "blob", content=content.decode())
    except UnicodeDecodeError:
        blob = repo.create_git_blob(base64.b64encode(content).decode(), "base64")
        return InputGitTreeElement(path, mode, "blob", sha=blob.sha)


def _holds(repo: Repository, head: str, change: Change) -> bool:
    """True where a commit has exactly these bytes in these files, and stands where it should."""
    commit = repo.get_git_commit(head)
    if not change.on_any_base and [parent.sha for parent in commit.parents] != [change.parent]:
        return False
    found = _entries(repo, commit.tree, change.files)
    return {path: entry.sha for path, entry in found.items()} == {
        path: blob_id(content) for path, content in change.files.items()
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
