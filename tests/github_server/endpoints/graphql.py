"""The little that only GraphQL has: drafts, auto-merge, and who a token writes as."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from tests.github_server import errors, shapes
from tests.github_server.endpoints import merging
from tests.github_server.routing import Call, Reply, operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_server.state import Issue, Pull, Repository


class _QueryError(Exception):
    """GraphQL answers 200, with the error inside."""


@operation("POST", "/api/graphql", requires=("query",))
def graphql(call: Call) -> Reply:
    if "viewer" in call.required("query"):
        return Reply(200, {"data": {"viewer": {"login": call.user.login}}})
    given = (call.body.get("variables") or {}).get("input") or {}
    name = next((name for name in _MUTATIONS if f"{{ {name}(" in call.required("query")), "")
    try:
        repo, issue, pull = _found(call, given.get("pullRequestId", ""))
        call.demand(repo, "pull_requests", "write")
        answer = _MUTATIONS.get(name, _unknown)(call, repo, issue, pull)
    except _QueryError as error:
        return Reply(200, {"data": None, "errors": [{"type": "UNPROCESSABLE", "message": str(error)}]})
    shown = {"clientMutationId": None, "actor": shapes.user(call, call.user), **answer}
    return Reply(200, {"data": {name: shown}})


def _found(call: Call, node: str) -> tuple[Repository, Issue, Pull]:
    try:
        kind, _, number = base64.b64decode(node).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        kind, number = "", ""
    for repo in call.world.repositories.values():
        for issue, pull in repo.pulls():
            if kind == "PullRequest" and number in {str(pull.id), str(issue.id)}:
                return repo, issue, pull
    raise errors.not_found()


def _unknown(_call: Call, _repo: Repository, _issue: Issue, _pull: Pull) -> dict[str, Any]:
    raise _QueryError("this server knows no such query")


def _ready(_call: Call, _repo: Repository, _issue: Issue, pull: Pull) -> dict[str, Any]:
    pull.draft = False
    return {"pullRequest": {"isDraft": False}}


def _to_draft(_call: Call, repo: Repository, _issue: Issue, pull: Pull) -> dict[str, Any]:
    if repo.drafts_refused:
        raise _QueryError("Draft pull requests are not supported in this repository.")
    pull.draft = True
    return {"pullRequest": {"isDraft": True}}


def _enable(call: Call, repo: Repository, _issue: Issue, pull: Pull) -> dict[str, Any]:
    if not repo.auto_merge:
        raise _QueryError("Auto merge is not allowed for this repository")
    if pull.draft:
        raise _QueryError("Pull request is in draft status")
    if merging.passed(repo, pull):
        raise _QueryError("Pull request is in clean status")
    pull.auto_merge = {
        "enabled_by": shapes.user(call, call.user),
        "merge_method": "squash",
        "commit_title": "",
        "commit_message": "",
    }
    return {}


def _disable(_call: Call, _repo: Repository, _issue: Issue, pull: Pull) -> dict[str, Any]:
    pull.auto_merge = None
    return {}


_MUTATIONS: dict[str, Callable[[Call, Repository, Issue, Pull], dict[str, Any]]] = {
    "markPullRequestReadyForReview": _ready,
    "convertPullRequestToDraft": _to_draft,
    "enablePullRequestAutoMerge": _enable,
    "disablePullRequestAutoMerge": _disable,
}
