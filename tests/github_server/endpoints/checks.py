"""Commit statuses and check runs: what is said about a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server import errors, git_shapes, shapes
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import CheckRun, Repository, Status, timestamp

if TYPE_CHECKING:
    from tests.github_server.state import App

_REPO = "/repos/{owner}/{repo}"
_STATES = {"error", "failure", "pending", "success"}
_KEPT = ("name", "status", "conclusion", "details_url", "external_id", "started_at", "completed_at")
_ANNOTATIONS_LIMIT = 50
_DESCRIPTION_LIMIT = 140


def _commit(repo: Repository, name: str) -> str:
    sha = repo.git.resolve(name)
    if sha is None:
        raise errors.unprocessable(f"No commit found for SHA: {name}")
    return sha


@operation("POST", _REPO + "/statuses/{sha}", requires=("state",))
def create_status(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "statuses", "write")
    sha, state = _commit(repo, call.params["sha"]), call.required("state")
    if state not in _STATES:
        raise errors.invalid("Status", "state", "custom", message=f"state '{state}' is not allowed")
    description = call.text("description")
    if description and len(description) > _DESCRIPTION_LIMIT:
        raise errors.invalid(
            "Status", "description", "custom", message="description is too long (maximum is 140 characters)"
        )
    context = call.text("context") or "default"
    item = Status(call.world.next_id(), sha, state, context, description, call.text("target_url"), call.user)
    repo.statuses.append(item)
    return Reply(201, shapes.status(call, repo, item))


@operation("GET", _REPO + "/statuses/{ref}")
@operation("GET", _REPO + "/commits/{ref}/statuses")
def list_statuses(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "statuses", "read")
    sha = _commit(repo, call.params["ref"])
    found = [item for item in reversed(repo.statuses) if item.sha == sha]
    return page(call, found, lambda item: shapes.status(call, repo, item))


@operation("GET", _REPO + "/commits/{ref}/status")
def get_combined_status(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "statuses", "read")
    sha = _commit(repo, call.params["ref"])
    latest = {item.context: item for item in repo.statuses if item.sha == sha}
    states = {item.state for item in latest.values()}
    failed, pending = bool(states & {"error", "failure"}), not states or "pending" in states
    url = f"{git_shapes.root(call, repo)}/commits/{sha}"
    body = {
        "state": "failure" if failed else "pending" if pending else "success",
        "sha": sha,
        "total_count": len(latest),
        "statuses": [shapes.status(call, repo, item) for item in latest.values()],
        "repository": shapes.repository(call, repo),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(200, body)


def _shape(call: Call, repo: Repository, item: CheckRun) -> dict[str, Any]:
    url = f"{git_shapes.root(call, repo)}/check-runs/{item.id}"
    output = item.fields["output"]
    pulls = [
        (issue, pull)
        for issue, pull in repo.pulls()
        if pull.head_sha == item.head_sha and issue.state == "open"
    ]
    return {
        **{name: item.fields.get(name) for name in _KEPT},
        "id": item.id,
        "node_id": shapes.node("CheckRun", item.id),
        "head_sha": item.head_sha,
        "url": url,
        "html_url": f"{call.origin}/{repo.full_name}/runs/{item.id}",
        "check_suite": {"id": item.id},
        "output": {name: output.get(name) for name in ("title", "summary", "text")}
        | {"annotations_count": len(item.annotations), "annotations_url": f"{url}/annotations"},
        "app": shapes.app(call, item.app),
        "pull_requests": [_minimal(call, repo, issue.number, issue.id) for issue, _ in pulls],
    }


def _minimal(call: Call, repo: Repository, number: int, id_: int) -> dict[str, Any]:
    pull = repo.issues[number].pull
    assert pull is not None
    url = git_shapes.root(call, repo)
    origin = {"id": repo.id, "url": url, "name": repo.name}
    head = {"ref": pull.head, "sha": pull.head_sha, "repo": origin}
    base = {"ref": pull.base, "sha": pull.base_sha, "repo": origin}
    return {"id": id_, "number": number, "url": f"{url}/pulls/{number}", "head": head, "base": base}


def _app(call: Call) -> App:
    """Check runs belong to Apps; GitHub takes none from a person's token."""
    if call.app is None:
        raise errors.RefusedError(403, "You must authenticate via a GitHub App.")
    return call.app


def _apply(call: Call, item: CheckRun) -> None:
    given = {name: call.body[name] for name in _KEPT if name in call.body}
    if "conclusion" in given:  # a conclusion alone completes the run
        given |= {"status": "completed", "completed_at": given.get("completed_at") or timestamp()}
    elif given.get("status") == "completed":
        raise errors.unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
    output = call.body.get("output") or {}
    _check_output(output)
    item.annotations += output.get("annotations", [])
    item.fields |= given
    item.fields["output"] = item.fields["output"] | {k: v for k, v in output.items() if k != "annotations"}


def _check_output(output: dict[str, Any]) -> None:
    """The limits of an output.

    Raises:
        RefusedError: 422, more than 50 annotations at once, or a text over 65,535 characters.
    """
    if len(output.get("annotations", [])) > _ANNOTATIONS_LIMIT:
        raise errors.unprocessable("Invalid request.\n\nNo more than 50 items are allowed in annotations.")
    for name in ("summary", "text"):
        if len(output.get(name) or "") >= errors.MAX_BODY_CHARACTERS:
            raise errors.unprocessable(
                f"Invalid request.\n\nOnly 65535 characters are allowed; {name} is longer."
            )


@operation("POST", _REPO + "/check-runs", requires=("name", "head_sha"))
def create_check_run(call: Call) -> Reply:
    repo = call.repository()
    app = _app(call)
    call.demand(repo, "checks", "write")
    sha = _commit(repo, call.required("head_sha"))
    item = CheckRun(
        call.world.next_id(), app, sha, {"status": "queued", "started_at": timestamp(), "output": {}}
    )
    _apply(call, item)
    repo.check_runs[item.id] = item
    return Reply(201, _shape(call, repo, item))


def _found(call: Call, repo: Repository) -> CheckRun:
    text = call.params["check_run_id"]
    item = repo.check_runs.get(int(text)) if text.isdecimal() else None
    if item is None:
        raise errors.not_found()
    return item


@operation("GET", _REPO + "/check-runs/{check_run_id}")
def get_check_run(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "checks", "read")
    return Reply(200, _shape(call, repo, _found(call, repo)))


@operation("PATCH", _REPO + "/check-runs/{check_run_id}")
def update_check_run(call: Call) -> Reply:
    repo = call.repository()
    app = _app(call)
    call.demand(repo, "checks", "write")
    item = _found(call, repo)
    if item.app is not app:
        raise errors.RefusedError(
            403,
            "Invalid app_id `"
            + str(app.id)
            + "` - check run can only be modified by the GitHub App that created it.",
        )
    _apply(call, item)
    return Reply(200, _shape(call, repo, item))


@operation("GET", _REPO + "/commits/{ref}/check-runs")
def list_check_runs(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "checks", "read")
    sha, name = _commit(repo, call.params["ref"]), call.query.get("check_name")
    found = [
        item
        for item in repo.check_runs.values()
        if item.head_sha == sha and name in {None, item.fields["name"]}
    ]
    return page(call, found, lambda item: _shape(call, repo, item), "check_runs")
