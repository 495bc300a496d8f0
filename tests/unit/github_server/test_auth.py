"""Who may do what: tokens, permissions, roles, Apps and their tokens."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github

from tests.unit.github_server.conftest import Api, bump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_server import GitHubServer

_REPO = "/repos/acme/shop"
_WRITE = ("POST", f"{_REPO}/git/blobs", {"content": "x"})
_PERMISSIONS = {"contents": "write", "pull_requests": "write", "checks": "write", "issues": "read"}


def make_keys() -> tuple[str, str]:
    """A private and a public key, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = serialization.Encoding.PEM
    private = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(text, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = make_keys()
OTHER_PRIVATE, _ = make_keys()


@pytest.fixture
def hosted(github: GitHubServer) -> GitHubServer:
    """`acme/shop`, `acme/other` and the archived `acme/old`; `refit` writes, `carol` is a stranger."""
    for name in ("shop", "other"):
        github.create_repository(f"acme/{name}", {"Dockerfile": "FROM x\n"}, roles={"refit": "write"})
    github.create_repository("acme/old", {"a": "1"}, roles={"refit": "write"}, archived=True)
    github.create_repository("acme/secret", {"a": "1"}, private=True)
    github.create_token()
    github.create_token("carol", "ghp_carol")
    github.create_token("refit", "ghp_fine", permissions={"contents": "read", "issues": "write"})
    past = datetime.now(UTC) - timedelta(seconds=1)
    github.create_token("refit", "ghp_old", expires_at=past)
    return github


_BLOB = {"content": "x"}
_CASES: list[tuple[str, str | None, str, str, Any, int, str]] = [
    ("nobody reads", None, "GET", _REPO, None, 200, ""),
    ("nobody is nobody", None, "GET", "/user", None, 401, "Requires authentication"),
    ("nobody writes", None, "POST", f"{_REPO}/git/blobs", _BLOB, 401, "Requires authentication"),
    ("unknown token", "ghp_none", "GET", _REPO, None, 401, "Bad credentials"),
    ("expired token", "ghp_old", "GET", _REPO, None, 401, "Bad credentials"),
    ("writer", "ghp_refit", "POST", f"{_REPO}/git/blobs", _BLOB, 201, ""),
    ("stranger", "ghp_carol", "POST", f"{_REPO}/git/blobs", _BLOB, 404, "Not Found"),
    ("stranger talks", "ghp_carol", "POST", f"{_REPO}/issues", {"title": "x"}, 201, ""),
    ("private is hidden", "ghp_carol", "GET", "/repos/acme/secret", None, 404, "Not Found"),
    ("fine token may", "ghp_fine", "POST", f"{_REPO}/issues", {"title": "x"}, 201, ""),
    ("fine token may not", "ghp_fine", "POST", f"{_REPO}/git/blobs", _BLOB, 403, "by personal access token"),
    ("archived is read", "ghp_refit", "GET", "/repos/acme/old/branches/main", None, 200, ""),
    (
        "archived blob",
        "ghp_refit",
        "POST",
        "/repos/acme/old/git/blobs",
        _BLOB,
        403,
        "archived so is read-only",
    ),
    ("archived issue", "ghp_refit", "POST", "/repos/acme/old/issues", {"title": "x"}, 403, "read-only"),
]


@pytest.mark.parametrize(
    ("token", "method", "path", "body", "status", "words"),
    [row[1:] for row in _CASES],
    ids=[r[0] for r in _CASES],
)
def test_who_may_do_what(
    hosted: GitHubServer, *, token: str | None, method: str, path: str, body: Any, status: int, words: str
) -> None:
    answer = Api(hosted.api, token)(method, path, body)
    assert answer.status_code == status
    assert words in answer.json().get("message", "")


def signed(app_id: int, *, good_for: int = 540, age: int = 0, key: str = PRIVATE) -> str:
    now = int(time.time())
    claims = {"iat": now - age, "exp": now - age + good_for, "iss": str(app_id)}
    return jwt.encode(claims, key, algorithm="RS256")


@pytest.fixture
def app_id(hosted: GitHubServer) -> int:
    """An App that is installed on `acme/shop` only."""
    app = hosted.create_app("refit-app", PUBLIC, _PERMISSIONS)
    hosted.install(app, "acme", {"shop"})
    return app.id


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        pytest.param({}, 200, "", id="nine minutes"),
        pytest.param({"good_for": 660}, 401, "too far in the future", id="eleven minutes"),
        pytest.param({"age": 700}, 401, "future time at which the assertion expires", id="over"),
        pytest.param({"app_id": 1}, 404, "Integration not found", id="an unknown App"),
        pytest.param({"key": OTHER_PRIVATE}, 401, "could not be decoded", id="another key"),
    ],
)
def test_an_app_shows_who_it_is(
    hosted: GitHubServer, app_id: int, how: dict[str, Any], status: int, words: str
) -> None:
    token = signed(**{"app_id": app_id, **how})
    answer = Api(hosted.api, token)("GET", "/app")
    assert answer.status_code == status
    assert words in answer.json().get("message", "")


@pytest.fixture
def as_app(hosted: GitHubServer, app_id: int) -> Iterator[Github]:
    """PyGithub with the App's own way in."""
    auth = Auth.AppAuth(app_id, PRIVATE)
    installation = next(iter(hosted.world.installations))
    client = Github(
        base_url=hosted.api,
        auth=auth.get_installation_auth(installation),
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    yield client
    client.close()


def test_an_app_opens_a_signed_commit_as_a_pull_request_of_its_bot(
    as_app: Github, hosted: GitHubServer
) -> None:
    shop = as_app.get_repo("acme/shop")
    sha = bump(shop, "refit/x", "FROM y\n")
    commit = shop.get_git_commit(sha)
    assert (commit.author.name, commit.verification.verified) == ("refit-app[bot]", True)
    made = shop.create_pull(base="main", head="refit/x", title="Bump", body="")
    assert (made.user.login, made.user.type) == ("refit-app[bot]", "Bot")
    assert [exchange.status for exchange in hosted.writes()] == [201] * 5


def test_an_app_writes_its_check_run(as_app: Github) -> None:
    shop = as_app.get_repo("acme/shop")
    head = shop.get_branch("main").commit.sha
    run = shop.create_check_run("Refit", head, status="in_progress")
    note = {
        "path": "Dockerfile",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": "notice",
        "message": "m",
    }
    output = {"title": "PASS", "summary": "fine", "annotations": [note]}
    run.edit(conclusion="success", output=output)
    seen = list(shop.get_commit(head).get_check_runs(check_name="Refit"))
    assert [(one.status, one.conclusion, one.output.annotations_count) for one in seen] == [
        ("completed", "success", 1)
    ]


def test_an_installation_token_ends_at_its_repositories_and_permissions(
    hosted: GitHubServer, app_id: int
) -> None:
    installation = next(iter(hosted.world.installations))
    mint = f"/app/installations/{installation}/access_tokens"
    asked = {"repositories": ["shop"], "permissions": {"contents": "write"}}
    answer = Api(hosted.api, signed(app_id))("POST", mint, asked)
    api = Api(hosted.api, answer.json()["token"])
    assert api(*_WRITE).status_code == 201
    for path, body in (
        (f"{_REPO}/pulls", {"head": "a", "base": "b"}),
        ("/repos/acme/other/git/blobs", _BLOB),
    ):
        refused = api("POST", path, body)
        assert (refused.status_code, refused.json()["message"]) == (
            403,
            "Resource not accessible by integration",
        )
    listed = api("GET", "/installation/repositories").json()["repositories"]
    assert [repo["full_name"] for repo in listed] == ["acme/shop"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"repositories": ["other"]}, "not accessible to the parent installation"),
        ({"permissions": {"administration": "write"}}, "not granted to this installation"),
        ({"permissions": {"issues": "write"}}, "not granted to this installation"),
    ],
)
def test_a_token_for_more_than_the_installation_has_is_not_minted(
    hosted: GitHubServer, app_id: int, asked: dict[str, Any], words: str
) -> None:
    installation = next(iter(hosted.world.installations))
    mint = f"/app/installations/{installation}/access_tokens"
    answer = Api(hosted.api, signed(app_id))("POST", mint, asked)
    assert answer.status_code == 422
    assert words in answer.json()["message"]


def test_a_revoked_token_is_unknown_from_then_on(hosted: GitHubServer) -> None:
    api = Api(hosted.api, "ghp_refit")
    assert api("GET", _REPO).status_code == 200
    hosted.revoke_token("ghp_refit")
    assert api("GET", _REPO).status_code == 401


def test_a_renamed_repository_redirects_reads_and_writes(hosted: GitHubServer) -> None:
    api = Api(hosted.api, "ghp_refit")
    hosted.rename_repository("acme/shop", "newco/store")
    assert api("GET", _REPO).json()["full_name"] == "newco/store"
    assert api("POST", f"{_REPO}/issues", {"title": "x"}).status_code == 201
    assert [issue.title for issue in hosted.repository("newco/store").issues.values()] == ["x"]
