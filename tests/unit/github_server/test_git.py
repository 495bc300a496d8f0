"""The git half: objects made by the API are what git itself serves, and refs are guarded as at GitHub."""

from __future__ import annotations

import base64
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.github_server.conftest import DOCKERFILE, Api, bump

if TYPE_CHECKING:
    from pathlib import Path

    from github.Repository import Repository

    from tests.github_server import GitHubServer

_GIT = "/repos/acme/shop/git"
_NEW = DOCKERFILE.replace("old", "new")


def run_git(*arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}
    return subprocess.run(
        ["git", "-c", "user.name=bob", "-c", "user.email=bob@example.org", *arguments],
        env={"PATH": os.environ["PATH"], **quiet},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_commit_made_by_the_data_api_is_what_git_clones(
    github: GitHubServer, shop: Repository, tmp_path: Path
) -> None:
    sha = bump(shop, "refit/debian")
    done = run_git(
        "clone", "-q", "-b", "refit/debian", github.clone_url("acme/shop"), str(tmp_path / "clone")
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clone/backend/Dockerfile").read_text() == _NEW
    assert run_git("-C", str(tmp_path / "clone"), "rev-parse", "HEAD").stdout.strip() == sha
    assert github.read("acme/shop", "backend/Dockerfile").decode() == DOCKERFILE


def test_a_person_pushes_and_the_pull_request_moves(
    github: GitHubServer, shop: Repository, tmp_path: Path
) -> None:
    bump(shop, "refit/debian")
    pull = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    github.create_token("acme", "ghp_owner")
    clone = str(tmp_path / "clone")
    run_git("clone", "-q", "-b", "refit/debian", github.clone_url("acme/shop", "ghp_owner"), clone)
    run_git("-C", clone, "commit", "-q", "--allow-empty", "-m", "mine")
    assert run_git("-C", clone, "push", "-q").returncode == 0
    assert shop.get_pull(pull.number).head.sha == run_git("-C", clone, "rev-parse", "HEAD").stdout.strip()
    assert [e.status for e in github.writes() if e.path.endswith("git-receive-pack")] == [200]


@pytest.mark.parametrize(
    ("token", "settings", "words"),
    [
        pytest.param(None, {}, "could not read Username", id="nobody"),
        pytest.param("ghp_unknown", {}, "Authentication failed", id="an unknown token"),
        pytest.param("ghp_reader", {}, "403", id="a user who may only read"),
        pytest.param("ghp_fine", {}, "403", id="a token without contents: write"),
        pytest.param("ghp_writer", {"archived": True}, "403", id="an archived repository"),
    ],
)
def test_a_push_is_refused(
    github: GitHubServer, tmp_path: Path, token: str | None, settings: dict[str, Any], words: str
) -> None:
    roles = {"writer": "write", "fine": "write"}
    github.create_repository("acme/shop", {"a": "1"}, roles=roles, **settings)
    for login in ("reader", "writer"):
        github.create_token(login, f"ghp_{login}")
    github.create_token("fine", "ghp_fine", permissions={"contents": "read"})
    clone = str(tmp_path / "clone")
    run_git("clone", "-q", github.clone_url("acme/shop"), clone)
    run_git("-C", clone, "commit", "-q", "--allow-empty", "-m", "mine")
    done = run_git("-C", clone, "push", github.clone_url("acme/shop", token), "HEAD:refs/heads/mine")
    assert done.returncode != 0
    assert words in done.stderr
    assert "refs/heads/mine" not in github.repository("acme/shop").git.refs()


def test_a_private_repository_is_cloned_with_a_token_only(github: GitHubServer, tmp_path: Path) -> None:
    github.create_repository("acme/secret", {"a": "1"}, private=True, roles={"refit": "read"})
    github.create_token()
    assert run_git("clone", github.clone_url("acme/secret"), str(tmp_path / "one")).returncode != 0
    assert (
        run_git("clone", github.clone_url("acme/secret", "ghp_refit"), str(tmp_path / "two")).returncode == 0
    )


def test_trees_blobs_and_contents_agree(shop: Repository) -> None:
    tree = shop.get_git_tree("main", recursive=True)
    assert [(entry.path, entry.type) for entry in tree.tree] == [
        ("backend", "tree"),
        ("backend/Dockerfile", "blob"),
    ]
    blob = shop.get_git_blob(tree.tree[1].sha)
    assert base64.b64decode(blob.content).decode() == DOCKERFILE
    contents = shop.get_contents("backend/Dockerfile")
    assert not isinstance(contents, list)
    assert (contents.sha, contents.decoded_content.decode()) == (blob.sha, DOCKERFILE)


def test_a_file_is_removed_by_a_tree_entry_without_a_sha(api: Api, github: GitHubServer) -> None:
    head = github.repository("acme/shop").git.line("rev-parse", "main^{tree}")
    entry = {"path": "backend/Dockerfile", "mode": "100644", "type": "blob", "sha": None}
    extra = {"path": "README.md", "mode": "100644", "type": "blob", "content": "Hello"}
    answer = api("POST", f"{_GIT}/trees", {"base_tree": head, "tree": [entry, extra]})
    assert [row["path"] for row in answer.json()["tree"]] == ["README.md"]


def test_a_commit_keeps_its_message_to_the_byte(shop: Repository) -> None:
    parent = shop.get_git_commit(shop.get_branch("main").commit.sha)
    message = "Bump\n\nSigned-off-by: Refit <refit@example.org>"
    made = shop.create_git_commit(message, parent.tree, [parent])
    assert shop.get_git_commit(made.sha).message == message
    assert made.verification.verified is False


def test_a_ref_moves_back_only_by_force(shop: Repository) -> None:
    old = shop.get_branch("main").commit.sha
    bump(shop, "refit/debian")
    ref = shop.get_git_ref("heads/refit/debian")
    with pytest.raises(Exception, match="Update is not a fast forward"):
        ref.edit(old)
    ref.edit(old, force=True)
    assert shop.get_git_ref("heads/refit/debian").object.sha == old
    ref.delete()
    assert "refit/debian" not in [branch.name for branch in shop.get_branches()]


_ZERO = "0" * 40
_REFUSALS: list[tuple[str, str, str, dict[str, Any] | None, str]] = [
    (
        "a ref that exists",
        "POST",
        "refs",
        {"ref": "refs/heads/main", "sha": "HEAD"},
        "Reference already exists",
    ),
    ("no object", "POST", "refs", {"ref": "refs/heads/x", "sha": _ZERO}, "Object does not exist"),
    ("a short name", "POST", "refs", {"ref": "main", "sha": "HEAD"}, "must start with|start with 'refs/'"),
    ("a short sha", "POST", "refs", {"ref": "refs/heads/x", "sha": "abc"}, "exactly 40 characters"),
    ("no sha", "POST", "refs", {"ref": "refs/heads/x"}, '"sha" wasn\'t supplied'),
    ("a ref below a branch", "POST", "refs", {"ref": "refs/heads/main/x", "sha": "HEAD"}, "update failed"),
    ("an unknown ref", "PATCH", "refs/heads/x", {"sha": "HEAD"}, "Reference does not exist"),
    ("an unknown ref to delete", "DELETE", "refs/heads/x", None, "Reference does not exist"),
    ("an unknown tree", "POST", "commits", {"message": "m", "tree": _ZERO}, "Tree SHA does not exist"),
    ("a commit without a tree", "POST", "commits", {"message": "m"}, '"tree" wasn\'t supplied'),
    ("an empty tree", "POST", "trees", {"tree": []}, "Invalid tree info"),
    ("bad base64", "POST", "blobs", {"content": "a", "encoding": "base64"}, "not valid Base64"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "words"), [row[1:] for row in _REFUSALS], ids=[row[0] for row in _REFUSALS]
)
def test_the_data_api_refuses_with_422(
    api: Api, github: GitHubServer, *, method: str, path: str, body: dict[str, str] | None, words: str
) -> None:
    git = github.repository("acme/shop").git
    before = git.refs()
    sent = {k: git.line("rev-parse", "main") if v == "HEAD" else v for k, v in (body or {}).items()}
    answer = api(method, f"{_GIT}/{path}", sent or None)
    assert answer.status_code == 422
    assert any(part in answer.json()["message"] for part in words.split("|"))
    assert git.refs() == before


def test_a_stale_blob_is_a_conflict(shop: Repository, github: GitHubServer) -> None:
    contents = shop.get_contents("backend/Dockerfile")
    assert not isinstance(contents, list)
    github.commit("acme/shop", {"backend/Dockerfile": "FROM other\n"})
    with pytest.raises(Exception, match=r"409.*does not match"):
        shop.update_file("backend/Dockerfile", "Bump", _NEW, contents.sha)
    assert github.read("acme/shop", "backend/Dockerfile") == b"FROM other\n"
