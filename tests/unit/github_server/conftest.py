from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from github import Auth, Github, InputGitTreeElement

from tests.github_server.fixtures import github

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from github.Repository import Repository

    from tests.github_server import GitHubServer

__all__ = ["github"]

DOCKERFILE = "FROM debian:bookworm-slim@sha256:old\nRUN true\n"


@dataclass(frozen=True, slots=True)
class Api:
    """The API without a client library, to see the words of a refusal."""

    root: str
    token: str | None

    def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> requests.Response:
        signed = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with requests.Session() as session:
            return session.request(method, self.root + path, json=json, headers=signed | headers, timeout=10)


@pytest.fixture
def connect(github: GitHubServer) -> Iterator[Callable[[str], Github]]:
    """PyGithub with a token, closed at the end."""
    clients: list[Github] = []

    def client(token: str) -> Github:
        clients.append(
            Github(
                base_url=github.api,
                auth=Auth.Token(token),
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
            )
        )
        return clients[-1]

    yield client
    for one in clients:
        one.close()


@pytest.fixture
def shop(github: GitHubServer, connect: Callable[[str], Github]) -> Repository:
    """`acme/shop` with one Dockerfile, seen by the user `refit`, who may write."""
    github.create_repository("acme/shop", {"backend/Dockerfile": DOCKERFILE}, roles={"refit": "write"})
    return connect(github.create_token()).get_repo("acme/shop")


@pytest.fixture
def api(github: GitHubServer, shop: Repository) -> Api:
    """The API as the user `refit`."""
    assert shop.full_name == "acme/shop"
    return Api(github.api, "ghp_refit")


def bump(shop: Repository, branch: str, content: str = DOCKERFILE.replace("old", "new")) -> str:
    """Commit new bytes of the Dockerfile on a new branch through the git data API, and return the commit."""
    parent = shop.get_git_commit(shop.get_branch("main").commit.sha)
    blob = shop.create_git_blob(content, "utf-8")
    change = InputGitTreeElement("backend/Dockerfile", "100644", "blob", sha=blob.sha)
    tree = shop.create_git_tree([change], parent.tree)
    commit = shop.create_git_commit("Bump debian", tree, [parent])
    shop.create_git_ref(f"refs/heads/{branch}", commit.sha)
    return commit.sha
