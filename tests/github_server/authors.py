"""Who a commit made by the API is from, and whether GitHub signs it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.github_server import errors
from tests.github_server.git import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.github_server.routing import Call
    from tests.github_server.state import Account, Repository

_HOST = "users.noreply.github.com"


def person(account: Account) -> Person:
    """An account as author, under GitHub's no-reply address, now."""
    return Person(account.login, f"{account.id}+{account.login}@{_HOST}", f"{int(time.time())} +0000")


def github() -> Person:
    """GitHub itself, the committer of what it makes for others."""
    return Person("GitHub", "noreply@github.com", f"{int(time.time())} +0000")


def commit(call: Call, repo: Repository, tree: str, parents: Sequence[str], message: str) -> str:
    """Write the commit that a request asks for; an App that names nobody gets it signed.

    Raises:
        RefusedError: 422, an author without name or address.
    """
    author, committer = _given(call.body, "author"), _given(call.body, "committer")
    signed = call.app is not None and author is None and committer is None
    writer = author or person(call.user)
    sha = repo.git.write_commit(tree, parents, message, writer, committer or (github() if signed else writer))
    repo.verified.update({sha} if signed else ())
    return sha


def _given(body: dict[str, Any], field: str) -> Person | None:
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, dict) or not value.get("name") or not value.get("email"):
        raise errors.unprocessable(f'Invalid request.\n\n"email", "name" weren\'t supplied for {field}.')
    return Person(value["name"], value["email"], f"{_seconds(value.get('date'))} +0000")


def _seconds(date: str | None) -> int:
    if date is None:
        return int(time.time())
    try:
        return int(datetime.fromisoformat(date).timestamp())
    except ValueError:
        raise errors.unprocessable(f"{date} is not a valid date") from None
