"""Pull requests: list, open, edit, what they change, who shall review them."""

from __future__ import annotations

from tests.github_server import errors, git_shapes, shapes
from tests.github_server.endpoints import issues
from tests.github_server.git import ConflictError
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation
from tests.github_server.state import Issue, Pull, Repository

_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = _PULLS + "/{pull_number}"


def mergeable(repo: Repository, issue: Issue, pull: Pull) -> bool | None:
    """Whether git merges head into base without a conflict; None once it is closed, as at GitHub."""
    if issue.state == "closed":
        return None
    try:
        repo.git.merge_tree(pull.base_sha, pull.head_sha)
    except ConflictError:
        return False
    return True


def _full(call: Call, repo: Repository, issue: Issue, pull: Pull, status: int = 200) -> Reply:
    known = mergeable(repo, issue, pull) if status == 200 else None
    return Reply(status, git_shapes.pull_full(call, repo, issue, pull, known))


@operation("GET", _PULLS)
def list_pulls(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "read")
    state, head, base = call.query.get("state", "open"), call.query.get("head"), call.query.get("base")
    found = [
        (issue, pull)
        for issue, pull in repo.pulls()
        if state in {"all", issue.state}
        and base in {None, pull.base}
        and (not head or head.partition(":")[::2] in {(repo.owner.login, pull.head), (pull.head, "")})
    ]
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    default = "desc" if key == "created_at" and "sort" not in call.query else "asc"
    backwards = call.query.get("direction", default) == "desc"
    found.sort(key=lambda pair: (getattr(pair[0], key), pair[0].number), reverse=backwards)
    return page(call, found, lambda pair: git_shapes.pull_simple(call, repo, *pair))


@operation("POST", _PULLS, requires=("head", "base"))
def create_pull(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "write")
    head, base = _branch(call, repo, "head"), _branch(call, repo, "base")
    title, body = issues.checked_title(call, "Issue"), issues.checked_body(call, "Issue")
    if call.body.get("draft") and repo.drafts_refused:
        raise errors.unprocessable("Draft pull requests are not supported in this repository.")
    pull = _compared(call, repo, head, base)
    issue = Issue(call.world.next_id(), issues.next_number(repo), title, body, call.user, call.app, pull)
    repo.issues[issue.number] = issue
    _point(repo, issue.number, pull)
    return _full(call, repo, issue, pull, 201)


def _branch(call: Call, repo: Repository, field: str) -> str:
    """A branch of this repository; `owner:branch` is taken where the owner is this one's."""
    owner, colon, name = call.required(field).partition(":")
    branch = name if colon else owner
    if (colon and owner != repo.owner.login) or repo.git.ref(f"refs/heads/{branch}") is None:
        raise errors.invalid("PullRequest", field)
    return branch


def _compared(call: Call, repo: Repository, head: str, base: str) -> Pull:
    for issue, pull in repo.pulls():
        if issue.state == "open" and (pull.head, pull.base) == (head, base):
            raise errors.custom(
                "PullRequest", f"A pull request already exists for {repo.owner.login}:{head}."
            )
    heads = repo.git.refs("refs/heads/")
    head_sha, base_sha = heads[f"refs/heads/{head}"], heads[f"refs/heads/{base}"]
    if repo.git.merge_base(base_sha, head_sha) is None:
        raise errors.custom("PullRequest", f"The {head} branch has no history in common with {base}")
    if repo.git.is_ancestor(head_sha, base_sha):
        raise errors.custom("PullRequest", f"No commits between {base} and {head}")
    draft, modify = call.body.get("draft") is True, call.body.get("maintainer_can_modify") is True
    return Pull(
        call.world.next_id(), head, base, head_sha, base_sha, draft, modify, seen=(head_sha, base_sha)
    )


def _point(repo: Repository, number: int, pull: Pull) -> None:
    repo.git.set_ref(f"refs/pull/{number}/head", pull.head_sha)


@operation("GET", _PULL)
def get_pull(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "read")
    return _full(call, repo, *call.pull(repo))


@operation("PATCH", _PULL)
def update_pull(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "write")
    issue, pull = call.pull(repo)
    if issue.user is not call.user and not call.pushes(repo):
        raise errors.RefusedError(403, "Must have admin rights to Repository.")
    _set_state(call, repo, issue, pull)
    if "title" in call.body:
        issue.title = issues.checked_title(call, "Issue")
    if "body" in call.body:
        issue.body = issues.checked_body(call, "Issue")
    if "base" in call.body:
        pull.base = _branch(call, repo, "base")
        pull.base_sha = repo.git.refs()[f"refs/heads/{pull.base}"]
    issue.touch()
    return _full(call, repo, issue, pull)


def _set_state(call: Call, repo: Repository, issue: Issue, pull: Pull) -> None:
    state = call.text("state") or issue.state
    if state not in {"open", "closed"}:
        raise errors.invalid("PullRequest", "state")
    if state == "open" and issue.state == "closed":
        _demand_reopen(repo, issue, pull)
    issues.set_state(issue, state, call.user)


def _demand_reopen(repo: Repository, issue: Issue, pull: Pull) -> None:
    head = repo.git.ref(f"refs/heads/{pull.head}")
    twin = any(
        other.state == "open" and (theirs.head, theirs.base) == (pull.head, pull.base)
        for other, theirs in repo.pulls()
        if other is not issue
    )
    if pull.merged_at or head is None or twin:
        raise errors.invalid("PullRequest", "state", message="state cannot be changed.")
    if not repo.git.is_ancestor(pull.head_sha, head):
        text = f"The {pull.head} branch was force-pushed or recreated."
        raise errors.invalid("PullRequest", "state", message=f"state cannot be changed. {text}")


@operation("GET", _PULL + "/files")
def list_files(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "read")
    _, pull = call.pull(repo)
    start = repo.git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    return page(call, git_shapes.files(call, repo, start, pull.head_sha), lambda entry: entry)


@operation("GET", _PULL + "/commits")
def list_commits(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "read")
    _, pull = call.pull(repo)
    shas = list(reversed(repo.git.log(f"{pull.base_sha}..{pull.head_sha}")))
    return page(call, shas, lambda sha: git_shapes.commit(call, repo, repo.git.commit(sha)))


@operation("GET", _PULL + "/requested_reviewers")
def list_reviewers(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "read")
    _, pull = call.pull(repo)
    return Reply(200, {"users": [shapes.user(call, one) for one in pull.reviewers], "teams": []})


@operation("POST", _PULL + "/requested_reviewers")
def request_reviewers(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "pull_requests", "write")
    issue, pull = call.pull(repo)
    logins = call.body.get("reviewers") or []
    if issue.user.login in logins:
        raise errors.unprocessable("Review cannot be requested from pull request author.")
    allowed = issues.people(call, repo, logins)
    if len(allowed) != len(logins) or call.body.get("team_reviewers"):
        raise errors.unprocessable(
            "Reviews may only be requested from collaborators. One or more of the users or teams "
            f"you specified is not a collaborator of the {repo.full_name} repository."
        )
    pull.reviewers += [account for account in allowed if account not in pull.reviewers]
    return Reply(201, git_shapes.pull_simple(call, repo, issue, pull))
