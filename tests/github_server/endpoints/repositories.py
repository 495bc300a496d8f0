"""Repositories, branches, commits, comparison, file contents, collaborators."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.github_server import authors, errors, git_shapes, shapes
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation

if TYPE_CHECKING:
    from tests.github_server.git import TreeEntry
    from tests.github_server.state import Repository

_REPO = "/repos/{owner}/{repo}"


@operation("GET", _REPO)
def get_repository(call: Call) -> Reply:
    return Reply(200, shapes.repository(call, call.repository()))


@operation("GET", "/orgs/{org}/repos")
def list_organisation_repositories(call: Call) -> Reply:
    account = call.world.accounts.get(call.params["org"])
    if account is None or account.type != "Organization":
        raise errors.not_found()
    return _owned(call, call.params["org"])


@operation("GET", "/users/{username}/repos")
def list_user_repositories(call: Call) -> Reply:
    return _owned(call, call.params["username"])


@operation("GET", "/user/repos")
def list_own_repositories(call: Call) -> Reply:
    account = call.user
    mine = [repo for repo in call.world.repositories.values() if repo.role(account) in {"admin", "write"}]
    return page(call, mine, lambda repo: shapes.repository(call, repo))


def _owned(call: Call, login: str) -> Reply:
    if login not in call.world.accounts:
        raise errors.not_found()
    mine = [
        repo for repo in call.world.repositories.values() if repo.owner.login == login and call.sees(repo)
    ]
    return page(call, mine, lambda repo: shapes.repository(call, repo))


@operation("GET", _REPO + "/branches/{branch}")
def get_branch(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    name = call.params["branch"]
    sha = repo.git.ref(f"refs/heads/{name}")
    if sha is None:
        raise errors.RefusedError(404, "Branch not found")
    url = f"{git_shapes.root(call, repo)}/branches/{quote(name)}"
    html = f"{call.origin}/{repo.full_name}/tree/{quote(name)}"
    body = {
        "name": name,
        "commit": git_shapes.commit(call, repo, repo.git.commit(sha)),
        "_links": {"self": url, "html": html},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }
    return Reply(200, body)


@operation("GET", _REPO + "/branches")
def list_branches(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    url = git_shapes.root(call, repo)

    def shape(item: tuple[str, str]) -> dict[str, Any]:
        commit = {"sha": item[1], "url": f"{url}/commits/{item[1]}"}
        return {"name": item[0].removeprefix("refs/heads/"), "commit": commit, "protected": False}

    return page(call, list(repo.git.refs("refs/heads/").items()), shape)


@operation("GET", _REPO + "/commits/{ref}")
def get_commit(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    sha = _commit_of(repo, call.params["ref"])
    found = repo.git.commit(sha)
    start = found.parents[0] if found.parents else repo.git.write_tree([])
    files = git_shapes.files(call, repo, start, sha)
    added, removed = (sum(entry[key] for entry in files) for key in ("additions", "deletions"))
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    return Reply(200, git_shapes.commit(call, repo, found) | {"stats": stats, "files": files})


def _commit_of(repo: Repository, name: str) -> str:
    sha = repo.git.resolve(name)
    if sha is None:
        raise errors.unprocessable(f"No commit found for SHA: {name}")
    return sha


@operation("GET", _REPO + "/commits")
def list_commits(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    sha = repo.git.resolve(call.query.get("sha", repo.default_branch))
    if sha is None:
        raise errors.not_found()
    paths = [call.query["path"]] if "path" in call.query else []
    shas = repo.git.line("rev-list", sha, "--", *paths).split()
    return page(call, shas, lambda one: git_shapes.commit(call, repo, repo.git.commit(one)))


@operation("GET", _REPO + "/compare/{basehead}")
def compare(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    base_name, _, head_name = call.params["basehead"].partition("...")
    base, head = repo.git.resolve(base_name), repo.git.resolve(head_name)
    start = repo.git.merge_base(base, head) if base and head else None
    if base is None or head is None or start is None:
        raise errors.not_found()
    ahead, behind = repo.git.log(f"{base}..{head}"), repo.git.log(f"{head}..{base}")
    states = {
        (True, True): "diverged",
        (True, False): "ahead",
        (False, True): "behind",
        (False, False): "identical",
    }
    html = f"{call.origin}/{repo.full_name}/compare/{call.params['basehead']}"
    commits = [git_shapes.commit(call, repo, repo.git.commit(sha)) for sha in (*reversed(ahead), base, start)]
    body = {
        "url": f"{call.api}{call.path}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commits[-2],
        "merge_base_commit": commits[-1],
        "status": states[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": commits[:-2],
        "files": git_shapes.files(call, repo, start, head),
    }
    return Reply(200, body)


@operation("GET", _REPO + "/contents/{path}")
def get_contents(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "contents", "read")
    ref = call.query.get("ref", repo.default_branch)
    sha = repo.git.resolve(ref)
    if sha is None:
        raise errors.RefusedError(404, f"No commit found for the ref {ref}")
    entry = repo.git.entry(sha, call.params["path"])
    if entry is None:
        raise errors.not_found()
    if entry.type == "tree":
        children = repo.git.entries(entry.sha)
        folder = entry.path + "/"
        return Reply(200, [_content(call, repo, ref, child, folder + child.path) for child in children])
    content = base64.encodebytes(repo.git.blob(entry.sha)).decode()
    more = {"content": content, "encoding": "base64"}
    return Reply(200, _content(call, repo, ref, entry, entry.path) | more)


def _content(call: Call, repo: Repository, ref: str, entry: TreeEntry, path: str) -> dict[str, Any]:
    api, html = git_shapes.root(call, repo), f"{call.origin}/{repo.full_name}"
    kind = "dir" if entry.type == "tree" else "file"
    url = f"{api}/contents/{quote(path)}?ref={quote(ref, safe='')}"
    git = f"{api}/git/{entry.type}s/{entry.sha}"
    address = quote(f"{ref}/{path}")
    return {
        "type": kind,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "git_url": git,
        "html_url": f"{html}/{entry.type}/{address}",
        "download_url": f"{html}/raw/{address}" if kind == "file" else None,
        "_links": {"self": url, "git": git, "html": f"{html}/{entry.type}/{address}"},
    }


@operation("PUT", _REPO + "/contents/{path}", requires=("message", "content"))
def put_contents(call: Call) -> Reply:
    """Write one file on a branch; `sha` must be the blob that is there now."""
    repo = call.repository()
    call.demand(repo, "contents", "write")
    branch, path = call.text("branch") or repo.default_branch, call.params["path"]
    head = repo.git.ref(f"refs/heads/{branch}")
    if head is None:
        raise errors.RefusedError(404, f"Branch {branch} not found")
    there = repo.git.entry(head, path)
    _check_blob(path, there.sha if there else None, call.text("sha"))
    blob = repo.git.write_blob(_decoded(call))
    tree = repo.git.write_tree([("100644", blob, path)], base=head)
    sha = authors.commit(call, repo, tree, [head], call.required("message"))
    repo.git.set_ref(f"refs/heads/{branch}", sha, head)
    entry = repo.git.entry(sha, path)
    assert entry is not None
    commit = git_shapes.git_commit(call, repo, repo.git.commit(sha))
    return Reply(
        200 if there else 201, {"content": _content(call, repo, branch, entry, path), "commit": commit}
    )


def _check_blob(path: str, there: str | None, given: str | None) -> None:
    if there is not None and given is None:
        raise errors.unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if given is not None and given != there:
        raise errors.RefusedError(409, f"{path} does not match {given}")


def _decoded(call: Call) -> bytes:
    try:
        return base64.b64decode(call.required("content"))
    except binascii.Error:
        raise errors.unprocessable("content is not valid Base64") from None


@operation("GET", _REPO + "/collaborators/{username}/permission")
def get_permission(call: Call) -> Reply:
    repo = call.repository()
    call.demand(repo, "metadata", "read")
    account = call.world.accounts.get(call.params["username"])
    if account is None or call.token is None:
        raise errors.not_found()
    role = repo.role(account)
    user = shapes.user(call, account) | {"permissions": shapes.permissions(role), "role_name": role}
    return Reply(200, {"permission": role, "role_name": role, "user": user})
