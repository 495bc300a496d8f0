"""Where on GitHub something is done, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository


def login_of(person: NamedUser | Organization | None) -> str:
    """Who it is; empty where GitHub knows no account: an address of mail, or one that was deleted."""
    return person.login if person is not None else ""


def is_by(person: NamedUser | Organization | None, login: str) -> bool:
    """Whether somebody goes by a login, in whichever case it was written down: GitHub knows no difference."""
    return login_of(person).lower() == login.lower()


def _freely() -> None:
    """No budget."""


@dataclass(frozen=True, slots=True)
class Place:
    """One project on GitHub, seen by one login.

    Attributes:
        repo: The repository.
        login: Our login.
        project: The project's name in Refit.
        app: True where we are an App: only Apps may write check runs.
        spend: Called before anything that people are notified of is made; waits where that goes too fast.
    """

    repo: Repository
    login: str
    project: str
    app: bool = False
    spend: Callable[[], None] = _freely
