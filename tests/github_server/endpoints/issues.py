"""Issues (pull requests among them), their comments, assignees and reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server import errors, shapes
from tests.github_server.endpoints import labels
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import Account, Comment, Issue, Reaction, Repository, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

_REPO = "/repos/{owner}/{repo}"
_ISSUE = _REPO + "/issues/{issue_number}"
_COMMENT = _REPO + "/issues/comments/{comment_id}"
_CONTENTS = {"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
_TITLE_LIMIT = 256


def checked_title(call: Call, resource: str) -> str:
    """The title of the request.

    Raises:
        RefusedError: 422, blank or over 256 characters.
    """
    title = call.required("title")
    if not title.strip():
        raise errors.invalid(resource, "title", "missing_field")
    if len(title) > _TITLE_LIMIT:
        raise errors.invalid(
            resource, "title", "custom", message="title is too long (maximum is 256 characters)"
        )
    return title


def checked_body(call: Call, resource: str) -> str | None:
    """The body of the request.

    Raises:
        RefusedError: 422, over 65,536 characters.
    """
    body = call.text("body")
    if body is not None and len(body) > errors.MAX_BODY_CHARACTERS:
        raise errors.too_long(resource)
    return body


def next_number(repo: Repository) -> int:
    return max(repo.issues, default=0) + 1


def set_state(issue: Issue, state: str, actor: Account | None, reason: str | None = None) -> None:
    """Close or reopen."""
    if state == issue.state:
        return
    issue.state = state
    issue.closed_at = timestamp() if state == "closed" else None
    issue.closed_by = actor if state == "closed" else None
    issue.state_reason = (reason or "completed") if state == "closed" and issue.pull is None else None
    if state == "open" and issue.pull is None:
        issue.state_reason = "reopened"
    issue.touch()


def people(call: Call, repo: Repository, logins: Any) -> list[Account]:
    """The accounts behind logins that may be assigned here; GitHub drops the others in silence."""
    found = [call.world.accounts[login] for login in logins or [] if login in call.world.accounts]
    return [account for account in found if repo.role(account) in {"admin", "write"}]


@operation("GET", _REPO + "/issues")
def list_issues(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "issues", "read")
    found = list(_filtered(call, repo.issues.values()))
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    newest_first = call.query.get("direction", "desc") == "desc"
    found.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=newest_first)
    return page(call, found, lambda issue: shapes.issue(call, repo, issue))


def _filtered(call: Call, issues: Iterable[Issue]) -> Iterable[Issue]:
    state, creator = call.query.get("state", "open"), call.query.get("creator")
    wanted = {name.lower() for name in call.query.get("labels", "").split(",") if name}
    for issue in issues:
        has = {name.lower() for name in issue.labels}
        if state in {"all", issue.state} and wanted <= has and creator in {None, issue.user.login}:
            yield issue


@operation("POST", _REPO + "/issues", requires=("title",))
def create_issue(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "issues", "write")
    title, body = checked_title(call, "Issue"), checked_body(call, "Issue")
    issue = Issue(call.world.next_id(), next_number(repo), title, body, call.user, call.app)
    if call.pushes(repo):
        issue.labels = labels.names(call.world, repo, call.body.get("labels"))
        issue.assignees = people(call, repo, call.body.get("assignees"))
    repo.issues[issue.number] = issue
    return Reply(201, shapes.issue(call, repo, issue))


@operation("GET", _ISSUE)
def get_issue(call: Call) -> Reply:
    repo = call.repository()
    return Reply(200, shapes.issue(call, repo, call.issue(repo)))


@operation("PATCH", _ISSUE)
def update_issue(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    _demand_edit(call, repo, issue)
    _edit_text(call, issue)
    if "labels" in call.body:
        issue.labels = labels.names(call.world, repo, call.body["labels"])
    if "assignees" in call.body:
        issue.assignees = people(call, repo, call.body["assignees"])
    state = call.text("state") or issue.state
    if state not in {"open", "closed"}:
        raise errors.invalid("Issue", "state")
    set_state(issue, state, call.user, call.text("state_reason"))
    return Reply(200, shapes.issue(call, repo, issue))


def _demand_edit(call: Call, repo: Repository, issue: Issue) -> None:
    if issue.user is not call.user and not call.pushes(repo):
        raise errors.RefusedError(403, "Must have admin rights to Repository.")


def _edit_text(call: Call, issue: Issue) -> None:
    if "title" in call.body:
        issue.title = checked_title(call, "Issue")
    if "body" in call.body:
        issue.body = checked_body(call, "Issue")
    issue.touch()


@operation("POST", _ISSUE + "/assignees")
def add_assignees(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    issue.assignees += [
        one for one in people(call, repo, call.body.get("assignees")) if one not in issue.assignees
    ]
    issue.touch()
    return Reply(201, shapes.issue(call, repo, issue))


@operation("DELETE", _ISSUE + "/assignees", requires=("assignees",))
def remove_assignees(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    issue.assignees = [one for one in issue.assignees if one.login not in call.body["assignees"]]
    issue.touch()
    return Reply(200, shapes.issue(call, repo, issue))


# -- comments ---------------------------------------------------------------------------------


@operation("GET", _ISSUE + "/comments")
def list_comments(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo)
    found = [comment for comment in repo.comments.values() if comment.issue == issue.number]
    return page(call, found, lambda comment: shapes.comment(call, repo, comment))


@operation("GET", _REPO + "/issues/comments")
def list_project_comments(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "issues", "read")
    since = call.query.get("since", "")
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    found = [comment for comment in repo.comments.values() if comment.updated_at >= since]
    newest_first = call.query.get("direction", "desc") == "desc"
    found.sort(key=lambda comment: (getattr(comment, key), comment.id), reverse=newest_first)
    return page(call, found, lambda comment: shapes.comment(call, repo, comment))


@operation("POST", _ISSUE + "/comments", requires=("body",))
def create_comment(call: Call) -> Reply:
    repo = call.repository()
    issue = call.issue(repo, "write")
    comment = Comment(call.world.next_id(), issue.number, call.user, _comment_text(call), call.app)
    repo.comments[comment.id] = comment
    issue.touch()
    return Reply(201, shapes.comment(call, repo, comment))


def _comment_text(call: Call) -> str:
    text = checked_body(call, "IssueComment")
    if not text or not text.strip():
        raise errors.invalid("IssueComment", "body", "missing_field")
    return text


def _comment(call: Call, repo: Repository, level: str) -> Comment:
    found = (
        repo.comments.get(int(call.params["comment_id"])) if call.params["comment_id"].isdecimal() else None
    )
    if found is None:
        raise errors.not_found()
    kind = "pull_requests" if repo.issues[found.issue].pull else "issues"
    call.demand(repo, kind, level)
    return found


@operation("GET", _COMMENT)
def get_comment(call: Call) -> Reply:
    repo = call.repository()
    return Reply(200, shapes.comment(call, repo, _comment(call, repo, "read")))


@operation("PATCH", _COMMENT, requires=("body",))
def update_comment(call: Call) -> Reply:
    repo = call.repository()
    comment = _comment(call, repo, "write")
    if comment.user is not call.user and not call.pushes(repo):
        raise errors.RefusedError(403, "Must have admin rights to Repository.")
    comment.body, comment.updated_at = _comment_text(call), timestamp()
    return Reply(200, shapes.comment(call, repo, comment))


@operation("DELETE", _COMMENT)
def delete_comment(call: Call) -> Reply:
    repo = call.repository()
    comment = _comment(call, repo, "write")
    if comment.user is not call.user and not call.pushes(repo):
        raise errors.RefusedError(403, "Must have admin rights to Repository.")
    del repo.comments[comment.id]
    return Reply(204)


# -- reactions --------------------------------------------------------------------------------


def _react(call: Call, reactions: list[Reaction]) -> Reply:
    content = call.required("content")
    if content not in _CONTENTS:
        raise errors.invalid("Reaction", "content")
    for known in reactions:
        if known.user is call.user and known.content == content:
            return Reply(200, shapes.reaction(call, known))
    reactions.append(Reaction(call.world.next_id(), call.user, content))
    return Reply(201, shapes.reaction(call, reactions[-1]))


@operation("GET", _ISSUE + "/reactions")
def list_issue_reactions(call: Call) -> Reply:
    return page(call, call.issue(call.repository()).reactions, lambda item: shapes.reaction(call, item))


@operation("POST", _ISSUE + "/reactions", requires=("content",))
def react_to_issue(call: Call) -> Reply:
    return _react(call, call.issue(call.repository(), "write").reactions)


@operation("GET", _COMMENT + "/reactions")
def list_comment_reactions(call: Call) -> Reply:
    comment = _comment(call, call.repository(), "read")
    return page(call, comment.reactions, lambda item: shapes.reaction(call, item))


@operation("POST", _COMMENT + "/reactions", requires=("content",))
def react_to_comment(call: Call) -> Reply:
    return _react(call, _comment(call, call.repository(), "write").reactions)
