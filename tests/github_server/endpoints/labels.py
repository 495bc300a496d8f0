"""Labels of a repository, and labels on an issue or pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server import errors, shapes
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import Issue, Label, Repository

if TYPE_CHECKING:
    from tests.github_server.state import World

_REPO = "/repos/{owner}/{repo}"
_ISSUE = _REPO + "/issues/{issue_number}/labels"
_DESCRIPTION_LIMIT = 100
_NAME_LIMIT = 50


def names(world: World, repo: Repository, given: Any) -> list[str]:
    """Labels of a request (names, or objects with a name) without doubles; new ones are made, as GitHub does.

    Raises:
        RefusedError: 422, an entry that is no name.
    """
    found: dict[str, str] = {}
    for entry in given or []:
        name = entry.get("name") if isinstance(entry, dict) else entry
        if not isinstance(name, str) or not name.strip():
            raise errors.invalid("Label", "name", "missing_field")
        if len(name) > _NAME_LIMIT:
            raise errors.invalid(
                "Label", "name", "custom", message=f"name is too long (maximum is {_NAME_LIMIT} characters)"
            )
        known = repo.labels.setdefault(name.lower(), Label(world.next_id(), name))
        found.setdefault(name.lower(), known.name)
    return list(found.values())


def _from_body(call: Call) -> Any:
    return call.body.get("labels") if isinstance(call.json, dict) else call.json


def _on_issue(call: Call, repo: Repository, issue: Issue) -> Reply:
    issue.touch()
    return Reply(200, shapes.labels(call, repo, issue))


@operation("GET", _REPO + "/labels")
def list_labels(call: Call) -> Reply:
    repo = call.repository()
    return page(call, list(repo.labels.values()), lambda item: shapes.label(call, repo, item))


@operation("POST", _REPO + "/labels", requires=("name",))
def create_label(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "issues", "write")
    name, description = call.required("name"), call.text("description")
    if name.lower() in repo.labels:
        raise errors.invalid("Label", "name", "already_exists")
    if description and len(description) > _DESCRIPTION_LIMIT:
        raise errors.invalid(
            "Label", "description", "custom", message="description is too long (maximum is 100 characters)"
        )
    item = Label(call.world.next_id(), name, call.text("color") or "ededed", description)
    repo.labels[name.lower()] = item
    return Reply(201, shapes.label(call, repo, item))


@operation("GET", _REPO + "/labels/{name}")
def get_label(call: Call) -> Reply:
    repo = call.repository()
    item = repo.labels.get(call.params["name"].lower())
    if item is None:
        raise errors.not_found()
    return Reply(200, shapes.label(call, repo, item))


@operation("GET", _ISSUE)
def list_issue_labels(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo)
    return page(call, issue.labels, lambda name: shapes.label(call, repo, repo.labels[name.lower()]))


@operation("POST", _ISSUE)
def add_labels(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    added = names(call.world, repo, _from_body(call))
    issue.labels += [name for name in added if name not in issue.labels]
    return _on_issue(call, repo, issue)


@operation("PUT", _ISSUE)
def set_labels(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    issue.labels = names(call.world, repo, _from_body(call))
    return _on_issue(call, repo, issue)


@operation("DELETE", _ISSUE)
def remove_all_labels(call: Call) -> Reply:
    issue = call.issue(call.repository(), "write")
    issue.labels = []
    issue.touch()
    return Reply(204)


@operation("DELETE", _ISSUE + "/{name}")
def remove_label(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    kept = [name for name in issue.labels if name.lower() != call.params["name"].lower()]
    if len(kept) == len(issue.labels):
        raise errors.RefusedError(404, "Label does not exist")
    issue.labels = kept
    return _on_issue(call, repo, issue)
