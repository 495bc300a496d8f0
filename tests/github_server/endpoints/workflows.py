"""Workflows of GitHub Actions: only that one stays enabled."""

from __future__ import annotations

from tests.github_server import errors
from tests.github_server.routing import Call, Reply, operation

_FOLDER = ".github/workflows"


@operation("PUT", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable")
def enable_workflow(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "actions", "write")
    if repo.git.entry(repo.default_branch, f"{_FOLDER}/{call.params['workflow_id']}") is None:
        raise errors.not_found()
    return Reply(204)
