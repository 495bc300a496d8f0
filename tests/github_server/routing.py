"""The table of operations: each is a function under GitHub's own path template, with what it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.github_server import errors
from tests.github_server.state import LEVELS

if TYPE_CHECKING:
    from tests.github_server.state import Account, App, Issue, Pull, Repository, Token, World

PREFIX = "/api/v3"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, JSON body (None for none) and headers beyond the usual ones."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through: where it goes, what it carries, who sends it."""

    world: World
    origin: str
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    json: Any
    token: Token | None
    bearer: str | None = None

    @property
    def api(self) -> str:
        return self.origin + PREFIX

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; an empty one where none was."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def user(self) -> Account:
        """The account that asks.

        Raises:
            RefusedError: 401, nobody signed in.
        """
        if self.token is None:
            raise errors.needs_authentication()
        return self.token.account

    @property
    def app(self) -> App | None:
        installation = self.token.installation if self.token else None
        return installation.app if installation else None

    def repository(self) -> Repository:
        """The repository in the path.

        Raises:
            RefusedError: 404 where there is none that this token may see.
        """
        name = f"{self.params['owner']}/{self.params['repo']}"
        found = self.world.repositories.get(name)
        if found is None or not self.sees(found):
            raise errors.not_found()
        return found

    def sees(self, repository: Repository) -> bool:
        """Whether this caller may read the repository."""
        if not repository.private:
            return True
        if self.token is None:
            return False
        if self.token.installation is not None:
            return self.covers(repository)
        return repository.role(self.token.account) != "none"

    def covers(self, repository: Repository) -> bool:
        """Whether an installation token was given for this repository."""
        token = self.token
        if token is None or token.installation is None:
            return False
        mine = token.installation.account.login == repository.owner.login
        names = token.repositories
        return mine and (names is None or repository.name in names)

    def demand(self, repository: Repository, permission: str, level: str) -> None:
        """Let the call pass only with that permission on that repository.

        Raises:
            RefusedError: 401, 403 or 404, as GitHub chooses.
        """
        if level == "read" and self.token is None:
            return
        token_account = self.user
        token = self.token
        assert token is not None
        if not token.allows(permission, level):
            raise errors.forbidden(token.kind())
        if level != "read":
            self._demand_write(repository, permission, token_account)

    def _demand_write(self, repository: Repository, permission: str, account: Account) -> None:
        if repository.archived:
            raise errors.archived()
        assert self.token is not None
        if self.token.installation is not None:
            if not self.covers(repository):
                raise errors.forbidden("integration")
            return
        talks = permission in {"issues", "pull_requests"}
        needed = "read" if talks else "write"
        if LEVELS.get(repository.role(account), 0) < LEVELS[needed]:
            raise errors.not_found()

    def issue(self, repository: Repository, level: str = "read") -> Issue:
        """The issue or pull request in the path, with the permission that its kind needs.

        Raises:
            RefusedError: 404 where there is none, 403 without the permission.
        """
        found = repository.issues.get(_number(self.params["issue_number"]))
        if found is None:
            raise errors.not_found()
        self.demand(repository, "pull_requests" if found.pull else "issues", level)
        return found

    def pull(self, repository: Repository) -> tuple[Issue, Pull]:
        """The pull request in the path.

        Raises:
            RefusedError: 404 where there is none.
        """
        found = repository.issues.get(_number(self.params["pull_number"]))
        if found is None or found.pull is None:
            raise errors.not_found()
        return found, found.pull

    def role(self, repository: Repository) -> str:
        """The caller's role on the repository; an App that is installed there writes."""
        if self.token is not None and self.token.installation is not None:
            return "write" if self.covers(repository) else "read"
        return repository.role(self.token.account if self.token else None)

    def pushes(self, repository: Repository) -> bool:
        """Whether the caller has write access: only then do labels and assignees of a new issue count."""
        return self.role(repository) in {"write", "admin"}

    def text(self, name: str, default: str | None = None) -> str | None:
        """A field that is a string, or null.

        Raises:
            RefusedError: 422, another type.
        """
        value = self.body.get(name, default)
        if value is not None and not isinstance(value, str):
            raise errors.wrong_type(name, value, "a string")
        return value

    def required(self, name: str) -> str:
        """A field that must be a string.

        Raises:
            RefusedError: 422, null or another type.
        """
        value = self.text(name)
        if value is None:
            raise errors.wrong_type(name, value, "a string")
        return value


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: method, GitHub's path template, the handler, and the fields that a body must have."""

    method: str
    template: str
    handler: Handler
    requires: tuple[str, ...]
    pattern: re.Pattern[str]


OPERATIONS: list[Operation] = []
# Path parameters that may hold slashes.
_GREEDY = {"ref", "path", "branch", "basehead"}


def operation(method: str, template: str, *, requires: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Put a handler into the table under a path template of GitHub's description."""

    def add(handler: Handler) -> Handler:
        OPERATIONS.append(Operation(method, template, handler, requires, _compile(template)))
        return handler

    return add


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation for a request and its path parameters, decoded; None where there is none."""
    candidates = ((row, row.pattern.fullmatch(path)) for row in OPERATIONS if row.method == method)
    found = [(row, match) for row, match in candidates if match]
    if not found:
        return None
    row, match = min(found, key=lambda pair: _vagueness(pair[0].template))
    return row, {name: unquote(value) for name, value in match.groupdict().items()}


def _vagueness(template: str) -> tuple[int, int]:
    names = re.findall(r"{(\w+)}", template)
    return sum(name in _GREEDY for name in names), len(names)


def _compile(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match[1]
        return f"(?P<{name}>.+)" if name in _GREEDY else f"(?P<{name}>[^/]+)"

    return re.compile(re.sub(r"{(\w+)}", group, template))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise errors.not_found()
    return int(text)
