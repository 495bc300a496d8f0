"""Merging a pull request in its three ways, for real, and noticing what pushes do to open ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github_server import authors, errors
from tests.github_server.endpoints import issues
from tests.github_server.git import ConflictError
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import Account, Issue, Pull, Repository, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

_MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"
_REFUSED = "Pull Request is not mergeable"


@operation("GET", _MERGE)
def is_merged(call: Call) -> Reply:
    _, pull = call.pull(call.repository())
    return Reply(204 if pull.merged_at else 404)


@operation("PUT", _MERGE)
def merge(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "write")
    issue, pull = call.pull(repo)
    if issue.state != "open" or pull.draft:
        raise errors.RefusedError(405, _REFUSED)
    if call.text("sha") not in {None, pull.head_sha}:
        raise errors.RefusedError(409, "Head branch was modified. Review and try the merge again.")
    method = call.text("merge_method") or "merge"
    if method not in _METHODS:
        raise errors.invalid("PullRequest", "merge_method")
    try:
        sha = _METHODS[method](call, repo, issue, pull)
    except ConflictError:
        raise errors.RefusedError(405, _REFUSED) from None
    repo.git.set_ref(f"refs/heads/{pull.base}", sha, pull.base_sha)
    mark_merged(issue, pull, sha, call.user)
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _message(call: Call, title: str, rest: str) -> str:
    given = call.text("commit_message")
    return f"{call.text('commit_title') or title}\n\n{rest if given is None else given}".rstrip("\n")


def _merge(call: Call, repo: Repository, issue: Issue, pull: Pull) -> str:
    tree = repo.git.merge_tree(pull.base_sha, pull.head_sha)
    title = f"Merge pull request #{issue.number} from {repo.owner.login}/{pull.head}"
    message = _message(call, title, issue.title)
    parents = [pull.base_sha, pull.head_sha]
    return repo.git.write_commit(tree, parents, message, authors.person(call.user), authors.github())


def _squash(call: Call, repo: Repository, issue: Issue, pull: Pull) -> str:
    tree = repo.git.merge_tree(pull.base_sha, pull.head_sha)
    commits = [repo.git.commit(sha) for sha in reversed(repo.git.log(f"{pull.base_sha}..{pull.head_sha}"))]
    if len(commits) == 1:
        first, _, rest = commits[0].message.partition("\n\n")
        message = _message(call, f"{first} (#{issue.number})", rest)
    else:
        listed = "\n\n".join(f"* {commit.message.rstrip()}" for commit in commits)
        message = _message(call, f"{issue.title} (#{issue.number})", listed)
    return repo.git.write_commit(tree, [pull.base_sha], message, authors.person(issue.user), authors.github())


def _rebase(_call: Call, repo: Repository, _issue: Issue, pull: Pull) -> str:
    tip = pull.base_sha
    for sha in reversed(repo.git.log(f"{pull.base_sha}..{pull.head_sha}")):
        tip = repo.git.pick(sha, tip)
    return tip


_METHODS: dict[str, Callable[[Call, Repository, Issue, Pull], str]] = {
    "merge": _merge,
    "squash": _squash,
    "rebase": _rebase,
}


def mark_merged(issue: Issue, pull: Pull, sha: str, actor: Account | None) -> None:
    """A pull request is merged: closed, with the commit that holds it."""
    pull.merged_at, pull.merged_by, pull.merge_commit = timestamp(), actor, sha
    issues.set_state(issue, "closed", actor)


def sync(repo: Repository, actor: Account | None) -> None:
    """Bring the open pull requests up to date with the branches, as GitHub does after every push.

    A head that moved moves the pull request; a head that is gone closes it; a base that came to hold the head
    has merged it; a head that went back into the base closes it.
    """
    branches = repo.git.refs("refs/heads/")
    if branches != repo.branches:
        repo.branches, repo.pushed_at = branches, timestamp()
    for issue, pull in repo.pulls():
        if issue.state == "open":
            _sync_one(repo, branches, issue, pull, actor)


def _sync_one(
    repo: Repository, branches: dict[str, str], issue: Issue, pull: Pull, actor: Account | None
) -> None:
    head, base = branches.get(f"refs/heads/{pull.head}"), branches.get(f"refs/heads/{pull.base}")
    if head is None or base is None:
        issues.set_state(issue, "closed", actor)
        return
    if (head, base) == pull.seen:
        return
    moved = head != pull.seen[0]
    pull.seen = (head, base)
    if not moved and repo.git.is_ancestor(head, base):
        mark_merged(issue, pull, base, actor)
        return
    pull.head_sha, pull.base_sha = head, base
    if moved:
        issue.touch()
        repo.git.set_ref(f"refs/pull/{issue.number}/head", head)
        if repo.git.is_ancestor(head, base):
            issues.set_state(issue, "closed", actor)


def passed(repo: Repository, pull: Pull) -> bool:
    """Whether every required check of the branch has passed on the head: a status, or a check run."""
    good = {one.context for one in repo.statuses if one.sha == pull.head_sha and one.state == "success"}
    for run in repo.check_runs.values():
        if run.head_sha == pull.head_sha and run.fields.get("conclusion") in {"success", "neutral"}:
            good.add(run.fields["name"])
    return repo.required <= good


def merge_by_itself(call: Call, repo: Repository) -> None:
    """What GitHub does with auto-merge: a squash, once the last required check has passed."""
    for issue, pull in repo.pulls():
        if issue.state == "open" and pull.auto_merge and not pull.draft and passed(repo, pull):
            sha = _squash(call, repo, issue, pull)
            repo.git.set_ref(f"refs/heads/{pull.base}", sha, pull.base_sha)
            mark_merged(issue, pull, sha, call.user)
