"""The git data API: blobs, trees, commits and refs, all of them real objects of the bare repository."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from tests.github_server import authors, errors, git_shapes, shapes
from tests.github_server.git import GitFailedError
from tests.github_server.paging import page
from tests.github_server.routing import Call, Reply, operation

if TYPE_CHECKING:
    from tests.github_server.state import Repository

_GIT = "/repos/{owner}/{repo}/git"
_SHA = re.compile(r"[0-9a-f]{40}")
_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def _opened(call: Call, level: str) -> Repository:
    repo = call.repository()
    call.demand(repo, "contents", level)
    return repo


def _object(repo: Repository, sha: str, kind: str) -> str:
    """A full id of an object of that type.

    Raises:
        RefusedError: 404 where there is none.
    """
    if not _SHA.fullmatch(sha) or repo.git.type_of(sha) != kind:
        raise errors.not_found()
    return sha


@operation("GET", _GIT + "/blobs/{file_sha}")
def get_blob(call: Call) -> Reply:
    repo = _opened(call, "read")
    sha = _object(repo, call.params["file_sha"], "blob")
    content = repo.git.blob(sha)
    url = f"{git_shapes.root(call, repo)}/git/blobs/{sha}"
    text = base64.encodebytes(content).decode()
    body = {"sha": sha, "node_id": shapes.node("Blob", sha), "size": len(content), "url": url}
    return Reply(200, body | {"content": text, "encoding": "base64"})


@operation("POST", _GIT + "/blobs", requires=("content",))
def create_blob(call: Call) -> Reply:
    repo = _opened(call, "write")
    sha = repo.git.write_blob(_content(call))
    return Reply(201, {"sha": sha, "url": f"{git_shapes.root(call, repo)}/git/blobs/{sha}"})


def _content(call: Call) -> bytes:
    text = call.required("content")
    if call.text("encoding", "utf-8") != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error:
        raise errors.unprocessable("content is not valid Base64") from None


@operation("GET", _GIT + "/trees/{tree_sha}")
def get_tree(call: Call) -> Reply:
    """A tree by its id, a commit's or a branch's; any value of `recursive` makes it recursive."""
    repo = _opened(call, "read")
    sha = repo.git.resolve(call.params["tree_sha"], "tree")
    if sha is None:
        raise errors.not_found()
    entries = repo.git.entries(sha, recursive="recursive" in call.query)
    return Reply(200, git_shapes.tree(call, repo, sha, entries))


@operation("POST", _GIT + "/trees", requires=("tree",))
def create_tree(call: Call) -> Reply:
    repo = _opened(call, "write")
    rows = call.body["tree"]
    base = call.text("base_tree")
    if not isinstance(rows, list) or (not rows and not base):
        raise errors.unprocessable("Invalid tree info")
    if base is not None and repo.git.resolve(base, "tree") is None:
        raise errors.unprocessable("base_tree is not a valid tree oid")
    sha = repo.git.write_tree([_change(repo, row) for row in rows], base)
    return Reply(201, git_shapes.tree(call, repo, sha, repo.git.entries(sha)))


def _change(repo: Repository, row: dict[str, Any]) -> tuple[str, str | None, str]:
    """One row as (mode, object id or None to remove, path).

    Raises:
        RefusedError: 422 for a row without mode or path, with both or neither of sha and content, or with an
            object that is not there.
    """
    mode, path = row.get("mode"), row.get("path")
    if mode not in _MODES or not path or path.startswith("/") or ".." in path.split("/"):
        raise errors.unprocessable("Must supply a valid tree.path and tree.mode")
    if "content" in row and row.get("sha"):
        raise errors.unprocessable("Must supply either tree.sha or tree.content, not both")
    if "content" in row:
        return mode, repo.git.write_blob(row["content"].encode()), path
    if "sha" not in row:
        raise errors.unprocessable("Must supply tree.sha or tree.content")
    sha = row["sha"]
    if sha is not None and _MODES[mode] != "commit" and repo.git.type_of(sha) != _MODES[mode]:
        raise errors.unprocessable(f"tree.sha {sha} is not a valid {_MODES[mode]}")
    return mode, sha, path


@operation("GET", _GIT + "/commits/{commit_sha}")
def get_commit(call: Call) -> Reply:
    repo = _opened(call, "read")
    sha = _object(repo, call.params["commit_sha"], "commit")
    return Reply(200, git_shapes.git_commit(call, repo, repo.git.commit(sha)))


@operation("POST", _GIT + "/commits", requires=("message", "tree"))
def create_commit(call: Call) -> Reply:
    repo = _opened(call, "write")
    tree, parents = call.required("tree"), call.body.get("parents") or []
    if repo.git.type_of(tree) != "tree":
        raise errors.unprocessable("Tree SHA does not exist")
    if any(repo.git.type_of(parent) != "commit" for parent in parents):
        raise errors.unprocessable("Parent SHA does not exist or is not a commit object")
    sha = authors.commit(call, repo, tree, parents, call.required("message"))
    return Reply(201, git_shapes.git_commit(call, repo, repo.git.commit(sha)))


@operation("GET", _GIT + "/ref/{ref}")
def get_ref(call: Call) -> Reply:
    repo = _opened(call, "read")
    name = f"refs/{call.params['ref']}"
    sha = repo.git.ref(name)
    if sha is None:
        raise errors.not_found()
    return Reply(200, git_shapes.ref(call, repo, name, sha))


@operation("GET", _GIT + "/matching-refs/{ref}")
def list_matching_refs(call: Call) -> Reply:
    repo = _opened(call, "read")
    found = list(repo.git.refs(f"refs/{call.params['ref']}").items())
    return page(call, found, lambda item: git_shapes.ref(call, repo, *item))


@operation("POST", _GIT + "/refs", requires=("ref", "sha"))
def create_ref(call: Call) -> Reply:
    repo = _opened(call, "write")
    name, sha = call.required("ref"), call.required("sha")
    if not name.startswith("refs/") or name.count("/") < 2:
        raise errors.unprocessable("Reference name must start with 'refs/' and have at least two slashes.")
    if not _SHA.fullmatch(sha):
        raise errors.unprocessable(
            "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."
        )
    _commit_object(repo, name, sha)
    if repo.git.ref(name) is not None:
        raise errors.unprocessable("Reference already exists")
    try:
        repo.git.set_ref(name, sha, "0" * 40)
    except GitFailedError:  # a bad name, or `a/b` where `a` is a branch
        raise errors.unprocessable("Reference update failed") from None
    return Reply(201, git_shapes.ref(call, repo, name, sha))


def _commit_object(repo: Repository, name: str, sha: str) -> None:
    kind = repo.git.type_of(sha)
    if kind is None:
        raise errors.unprocessable("Object does not exist")
    if name.startswith("refs/heads/") and kind != "commit":
        raise errors.unprocessable("Reference update failed")


@operation("PATCH", _GIT + "/refs/{ref}", requires=("sha",))
def update_ref(call: Call) -> Reply:
    repo = _opened(call, "write")
    name, sha = f"refs/{call.params['ref']}", call.required("sha")
    old = repo.git.ref(name)
    if old is None:
        raise errors.unprocessable("Reference does not exist")
    _commit_object(repo, name, sha)
    if call.body.get("force") is not True and not repo.git.is_ancestor(old, sha):
        raise errors.unprocessable("Update is not a fast forward")
    repo.git.set_ref(name, sha, old)
    return Reply(200, git_shapes.ref(call, repo, name, sha))


@operation("DELETE", _GIT + "/refs/{ref}")
def delete_ref(call: Call) -> Reply:
    repo = _opened(call, "write")
    name = f"refs/{call.params['ref']}"
    if repo.git.ref(name) is None:
        raise errors.unprocessable("Reference does not exist")
    if name == f"refs/heads/{repo.default_branch}":
        raise errors.unprocessable("Cannot delete the default branch")
    repo.git.delete_ref(name)
    return Reply(204)
