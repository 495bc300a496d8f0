"""Whom a token writes as: what we wrote is found again by its author."""

from __future__ import annotations

import pytest

from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from tests.github_server.fixtures import github
from tests.github_server.server import GitHubServer

__all__ = ["github"]


@pytest.mark.parametrize(
    ("token", "login"),
    [
        ("ghp_of_a_person", "refit"),
        ("ghs_of_a_job", "github-actions[bot]"),
        ("ghs_of_an_app_of_ones_own", "acme-refit[bot]"),  # as actions/create-github-app-token makes it
    ],
)
def test_every_kind_of_token_knows_whom_it_writes_as(github: GitHubServer, token: str, login: str) -> None:
    github.create_token(login=login, value=token)

    access = TokenAccess(Connection(github.api, seconds_between_writes=0), token)

    assert access.login("acme/shop") == login
    access.disconnect()
