"""git's smart HTTP (clone, fetch, push) through `git http-backend`, behind GitHub's rules on who may."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.github_server import git
from tests.github_server.state import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.github_server.state import Repository, Token, World

_TIMEOUT_SECONDS = 120.0
_PATH = re.compile(
    r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?(?P<rest>/(?:info/refs|git-upload-pack|git-receive-pack))"
)


@dataclass(frozen=True, slots=True)
class GitRequest:
    """One request of the git protocol."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def pushes(self) -> bool:
        return "git-receive-pack" in (self.path.rpartition("/")[2], self.query.removeprefix("service="))


@dataclass(frozen=True, slots=True)
class GitAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


def matches(path: str) -> bool:
    """Whether a path belongs to the git protocol."""
    return _PATH.fullmatch(path) is not None


def repository_of(world: World, path: str) -> Repository | None:
    """The repository that a git path names."""
    match = _PATH.fullmatch(path)
    return world.repositories.get(match["name"]) if match else None


def token_of(world: World, authorization: str | None) -> Token | None:
    """The token in a Basic header: the password, whatever the user name; None where it is unknown or over."""
    kind, _, value = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        password = base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = world.tokens.get(password)
    return None if token is None or token.expired() else token


def serve(world: World, request: GitRequest) -> GitAnswer:
    """Answer one request, or refuse it with GitHub's status."""
    repo = repository_of(world, request.path)
    sent = request.headers.get("authorization")
    token = token_of(world, sent)
    if sent and token is None:
        return _challenge(
            "Invalid username or token. Password authentication is not supported for Git operations."
        )
    if (repo is None or repo.private or request.pushes()) and token is None:
        return _challenge("Authentication required")
    if repo is None or not _may(repo, token, "read"):
        return GitAnswer(404, {"content-type": "text/plain"}, b"Repository not found.")
    if request.pushes() and (repo.archived or not _may(repo, token, "write")):
        return GitAnswer(
            403, {"content-type": "text/plain"}, f"Permission to {repo.full_name}.git denied.".encode()
        )
    return _backend(repo, request)


def _may(repo: Repository, token: Token | None, level: str) -> bool:
    if token is None:
        return level == "read" and not repo.private
    if token.installation is not None:
        inside = token.repositories is None or repo.name in token.repositories
        mine = token.installation.account is repo.owner
        return (mine and inside and token.allows("contents", level)) or (level == "read" and not repo.private)
    return token.allows("contents", level) and LEVELS.get(repo.role(token.account), 0) >= LEVELS[level]


def _challenge(text: str) -> GitAnswer:
    headers = {"www-authenticate": 'Basic realm="GitHub"', "content-type": "text/plain"}
    return GitAnswer(401, headers, text.encode())


def _backend(repo: Repository, request: GitRequest) -> GitAnswer:
    match = _PATH.fullmatch(request.path)
    assert match is not None
    variables = git.environment(
        GIT_PROJECT_ROOT=str(repo.git.path),
        GIT_HTTP_EXPORT_ALL="1",
        PATH_INFO=match["rest"],
        QUERY_STRING=request.query,
        REQUEST_METHOD=request.method,
        REMOTE_USER="git",
        REMOTE_ADDR="127.0.0.1",
        CONTENT_TYPE=request.headers.get("content-type", ""),
        CONTENT_LENGTH=str(len(request.body)),
        HTTP_CONTENT_ENCODING=request.headers.get("content-encoding", ""),
        GIT_PROTOCOL=request.headers.get("git-protocol", ""),
    )
    done = subprocess.run(
        ["git", "http-backend"],
        env=variables,
        input=request.body,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )
    return _parsed(done.stdout)


def _parsed(output: bytes) -> GitAnswer:
    head, _, body = output.partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode().split("\r\n"))
    headers = {name.lower(): value for name, value in pairs}
    status = int(headers.pop("status", "200").split()[0])
    return GitAnswer(status, headers, body)
