"""What the server remembers: accounts, tokens, repositories, pull requests, issues and what hangs on them."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_server.git import BareRepository

LEVELS = {"read": 1, "write": 2, "admin": 3}


def timestamp(moment: datetime | None = None) -> str:
    """A moment (default: now) as GitHub writes it: UTC, whole seconds, `Z`."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Account:
    """A user, an organisation or an App's bot; of one that was deleted, what it wrote has no user."""

    id: int
    login: str
    type: str = "User"
    deleted: bool = False


@dataclass(slots=True)
class App:
    """A GitHub App and the public key (PEM) that its JWTs are checked with."""

    id: int
    slug: str
    owner: Account
    bot: Account
    public_key: str
    permissions: dict[str, str]


@dataclass(slots=True)
class Installation:
    """An App on an account: on the named repositories, or on all (`repositories` None)."""

    id: int
    app: App
    account: Account
    permissions: dict[str, str]
    repositories: set[str] | None = None
    created_at: str = field(default_factory=timestamp)


@dataclass(slots=True)
class Token:
    """A credential. `permissions` None means everything its account may do (a classic token)."""

    value: str
    account: Account
    permissions: dict[str, str] | None = None
    installation: Installation | None = None
    repositories: set[str] | None = None
    expires_at: datetime | None = None
    used: int = 0

    def expired(self) -> bool:
        return self.expires_at is not None and datetime.now(UTC) >= self.expires_at

    def kind(self) -> str:
        """What GitHub calls this credential when it refuses it."""
        return "integration" if self.installation else "personal access token"

    def allows(self, permission: str, level: str) -> bool:
        if self.permissions is None:
            return True
        return LEVELS.get(self.permissions.get(permission, ""), 0) >= LEVELS[level]


@dataclass(slots=True)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(slots=True)
class Reaction:
    id: int
    user: Account
    content: str
    created_at: str = field(default_factory=timestamp)


@dataclass(slots=True)
class Comment:
    id: int
    issue: int
    user: Account
    body: str
    app: App | None = None
    created_at: str = field(default_factory=timestamp)
    updated_at: str = field(default_factory=timestamp)
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True)
class Pull:
    """What an issue has more when it is a pull request."""

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    reviewers: list[Account] = field(default_factory=list)
    merged_at: str | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    seen: tuple[str, str] = ("", "")
    auto_merge: dict[str, Any] | None = None
    fork: str = ""  # full name of the repository that its branch lives in; empty for this one


@dataclass(slots=True)
class Issue:
    """An issue, or a pull request when `pull` is there: they share one row of numbers."""

    id: int
    number: int
    title: str
    body: str | None
    user: Account
    app: App | None = None
    pull: Pull | None = None
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    closed_by: Account | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    created_at: str = field(default_factory=timestamp)
    updated_at: str = field(default_factory=timestamp)

    def touch(self) -> None:
        self.updated_at = timestamp()


@dataclass(slots=True)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: str = field(default_factory=timestamp)


@dataclass(slots=True)
class CheckRun:
    """A check run; `fields` are those of the request that a response repeats as they are."""

    id: int
    app: App
    head_sha: str
    fields: dict[str, Any]
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Repository:
    """One hosted project: its bare repository and everything that is not git."""

    id: int
    owner: Account
    name: str
    git: BareRepository
    default_branch: str
    private: bool = False
    archived: bool = False
    fork: bool = False
    drafts_refused: bool = False
    auto_merge: bool = False
    required: set[str] = field(default_factory=set)
    topics: list[str] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    created_at: str = field(default_factory=timestamp)
    pushed_at: str = field(default_factory=timestamp)
    branches: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def pulls(self) -> Iterator[tuple[Issue, Pull]]:
        """The pull requests, each with its issue half."""
        return ((issue, issue.pull) for issue in self.issues.values() if issue.pull is not None)

    def role(self, account: Account | None) -> str:
        """`admin`, `write`, `read` or `none`: what this account may do here."""
        if account is not None and account.login == self.owner.login:
            return "admin"
        granted = self.roles.get(account.login) if account else None
        return granted or ("none" if self.private else "read")


@dataclass(slots=True)
class World:
    """All of it, behind one lock: one request at a time sees and changes it."""

    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def next_id(self) -> int:
        return next(self.numbers)

    def account(self, login: str, type_: str = "User") -> Account:
        """The account of that login, made when it is new."""
        if login not in self.accounts:
            self.accounts[login] = Account(self.next_id(), login, type_)
        return self.accounts[login]

    def mint(self, installation: Installation, permissions: dict[str, str], names: set[str] | None) -> Token:
        """A new installation token, good for an hour."""
        value = f"ghs_{self.next_id():036d}"
        until = datetime.now(UTC) + timedelta(hours=1)
        token = Token(value, installation.app.bot, permissions, installation, names, until)
        self.tokens[value] = token
        return token
