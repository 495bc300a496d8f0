"""Who Refit is on GitHub: the owner of a token, or an App installed on the projects."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from github import Auth, Github, GithubException, GithubIntegration
from github.AuthenticatedUser import AuthenticatedUser
from github.Organization import Organization
from github.PaginatedList import PaginatedList
from github.Repository import Repository

from bot.forge.api import Connection

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_EARLY: Final = timedelta(minutes=5)
_ACTIONS_LOGIN: Final = "github-actions[bot]"
# The least that branch, pull request, labels, issues and check runs need.
PERMISSIONS: Final = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


READING: Final = {"contents": "read", "metadata": "read"}


class Access(Protocol):
    """A way in: a client for each project, the name we go by, and a password for git."""

    @property
    def is_app(self) -> bool:
        """True for a GitHub App: only Apps may write check runs."""
        ...

    def client(self, project: str) -> Github:
        """A client that may work on one project."""
        ...

    def reader(self, project: str) -> Github:
        """A client that may read one project, and perhaps others of its owner: cheap for very many."""
        ...

    def repositories(self, owner: str) -> Iterable[Repository]:
        """Everything of an owner that we may see; of everybody where the owner is `*`."""
        ...

    def login(self, project: str) -> str:
        """The login that GitHub shows as author of what is ours."""
        ...

    def password(self, project: str) -> str:
        """What git sends as password to fetch a project; empty for nothing."""
        ...

    def renew(self, project: str) -> bool:
        """Forget tokens that GitHub no longer knows; False where there is no other to be had."""
        ...

    def disconnect(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class TokenAccess:
    """A personal access token, or the token of an Actions job: one for all projects.

    Args:
        connection: Where GitHub is.
        token: The secret; it is never part of a message.
        author: Whose pull requests count as ours, where others write them; the token's owner by default.
    """

    def __init__(self, connection: Connection, token: str, author: str = "") -> None:
        self._token = token
        self._client = connection.client(Auth.Token(token))
        self._login = author

    @property
    def is_app(self) -> bool:
        """A job's own token is an App's, and may write check runs as well."""
        return self._token.startswith("ghs_")

    def client(self, project: str) -> Github:
        """See `Access`."""
        del project
        return self._client

    reader = client

    def repositories(self, owner: str) -> Iterable[Repository]:
        """An organisation's; else all that the token was given, of that owner."""
        if owner != "*":
            facts = {"url": f"/orgs/{owner}", "login": owner}
            organization = Organization(self._client.requester, {}, facts, completed=True)
            try:
                yield from organization.get_repos(type="all")
            except GithubException as error:
                if error.status != 404:  # a person's account is no organisation
                    raise
            else:
                return
        yield from AuthenticatedUser(self._client.requester, {}, {"url": "/user"}, completed=True).get_repos()

    def login(self, project: str) -> str:
        """See `Access`; asked once."""
        del project
        self._login = self._login or self._ask()
        return self._login

    def password(self, project: str) -> str:
        """See `Access`."""
        del project
        return self._token

    def renew(self, project: str) -> bool:
        """A token that was given is all there is."""
        del project
        return False

    def disconnect(self) -> None:
        """See `Access`."""
        self._client.close()

    def _ask(self) -> str:
        if not self.is_app:
            return self._client.get_user().login
        try:  # an App's token has no user of its own, but GraphQL knows the bot that it writes as
            _, answer = self._client.requester.graphql_query("query { viewer { login } }", {})
            return str(answer["data"]["viewer"]["login"])
        except GithubException:
            return _ACTIONS_LOGIN


class AppAccess:
    """A GitHub App: a token for each project alone, with the least permissions, made anew before it runs out.

    Args:
        connection: Where GitHub is.
        app_id: The App's id.
        private_key: Its key, as PEM text.
        author: Whose pull requests count as ours, where others write them; the App's own by default.
    """

    def __init__(self, connection: Connection, app_id: int, private_key: str, author: str = "") -> None:
        self._connection = connection
        self._auth = Auth.AppAuth(app_id, private_key)
        self._app = GithubIntegration(
            auth=self._auth,
            base_url=connection.base_url.rstrip("/"),
            timeout=connection.timeout,
            retry=connection.retry(),
            seconds_between_requests=connection.seconds_between_requests,
            seconds_between_writes=0,
        )
        self._login = author
        self._projects: dict[str, tuple[ProjectAuth, Github]] = {}
        self._fetching: dict[str, ProjectAuth] = {}
        self._owners: dict[str, Github] = {}
        self._readers: dict[str, ProjectAuth] = {}

    @property
    def is_app(self) -> bool:
        """See `Access`."""
        return True

    def client(self, project: str) -> Github:
        """See `Access`."""
        return self._project(project)[1]

    def reader(self, project: str) -> Github:
        """One token for each owner, which may read contents and nothing more."""
        owner = project.partition("/")[0].lower()
        if owner not in self._owners:
            auth = self._readers[owner] = ProjectAuth(self._app, project, READING, alone=False)
            self._owners[owner] = self._connection.client(auth)
        return self._owners[owner]

    def repositories(self, owner: str) -> Iterable[Repository]:
        """All that the App is installed on, of that owner or of everybody."""
        for installation in self._app.get_installations():
            login = str(installation.raw_data["account"]["login"])
            if owner.lower() in ("*", login.lower()):
                auth = ProjectAuth(self._app, "", READING, alone=False, installation=installation.raw_data)
                self._readers.setdefault(login.lower(), auth)
                client = self._owners.setdefault(login.lower(), self._connection.client(auth))
                where = "/installation/repositories"
                yield from PaginatedList(Repository, client.requester, where, None, list_item="repositories")

    def login(self, project: str) -> str:
        """See `Access`; asked once."""
        del project
        self._login = self._login or f"{self._app.get_app().slug}[bot]"
        return self._login

    def password(self, project: str) -> str:
        """A token that may read this project alone: a clone is made to build, and a build writes nothing."""
        if project not in self._fetching:
            self._fetching[project] = ProjectAuth(self._app, project, READING)
        return self._fetching[project].token

    def renew(self, project: str) -> bool:
        """Have the tokens for a project, and for reading its owner's, made anew when they are asked for."""
        owner = project.partition("/")[0].lower()
        writing = self._projects[project][0] if project in self._projects else None
        tokens = [self._readers.get(owner), self._fetching.get(project), writing]
        forgotten = [one.forget() for one in tokens if one is not None]
        return any(forgotten)

    def disconnect(self) -> None:
        """See `Access`."""
        self._app.close()
        for client in (*(client for _, client in self._projects.values()), *self._owners.values()):
            client.close()

    def _project(self, project: str) -> tuple[ProjectAuth, Github]:
        if project not in self._projects:
            auth = ProjectAuth(self._app, project)
            self._projects[project] = (auth, self._connection.client(auth))
        return self._projects[project]


@dataclass
class ProjectAuth(Auth.Auth):
    """An installation token; PyGithub asks for it before each request.

    Attributes:
        app: The App.
        project: `owner/name`.
        wanted: The permissions it gets, as far as the owner has granted them.
        alone: True where it covers this project alone; else all of the owner's that the App is installed on.
        installation: The App's installation there, as GitHub lists it; None looks it up by the project.
    """

    app: GithubIntegration
    project: str
    wanted: Mapping[str, str] = field(default_factory=lambda: PERMISSIONS)
    alone: bool = True
    installation: Mapping[str, Any] | None = None
    _value: str = field(default="", repr=False)
    _until: datetime = _NEVER
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def token_type(self) -> str:
        """The word before the token in the header."""
        return "token"

    @property
    def token(self) -> str:
        """The token, with at least five minutes to live."""
        with self._lock:
            if datetime.now(UTC) + _EARLY > self._until:
                self._mint()
            return self._value

    def forget(self) -> bool:
        """Have the next token made anew; False where none was made yet."""
        with self._lock:
            had, self._until = self._until > _NEVER, _NEVER
        return had

    def _mint(self) -> None:
        owner, _, name = self.project.partition("/")
        found = self.installation or self.app.get_repo_installation(owner, name).raw_data
        granted = found.get("permissions") or {}
        # What the owner has not granted cannot be asked for; its use then says which permission is missing.
        permissions = {
            key: _less(level, granted[key]) for key, level in self.wanted.items() if key in granted
        }
        wanted: dict[str, Any] = {"permissions": permissions}
        if self.alone:
            wanted["repositories"] = [name]
        url = f"/app/installations/{found['id']}/access_tokens"
        _, data = self.app.requester.requestJsonAndCheck("POST", url, input=wanted)
        answer: dict[str, Any] = data
        self._value = answer["token"]
        self._until = datetime.fromisoformat(answer["expires_at"])


def _less(wanted: str, granted: str) -> str:
    """The lower of two levels."""
    return "read" if "read" in (wanted, granted) else wanted
