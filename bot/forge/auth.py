"""Who Refit is on GitHub: the owner of a token, or an App installed on the projects."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from github import Auth, Github, GithubException, GithubIntegration

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


class Access(Protocol):
    """A way in: a client for each project, the name we go by, and a password for git."""

    @property
    def is_app(self) -> bool:
        """True for a GitHub App: only Apps may write check runs."""
        ...

    def client(self, project: str) -> Github:
        """A client that may work on one project."""
        ...

    def login(self, project: str) -> str:
        """The login that GitHub shows as author of what we write."""
        ...

    def password(self, project: str) -> str:
        """What git sends as password."""
        ...

    def disconnect(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class TokenAccess:
    """A personal access token, or the token of an Actions job: one for all projects.

    Args:
        connection: Where GitHub is.
        token: The secret; it is never part of a message.
    """

    def __init__(self, connection: Connection, token: str) -> None:
        self._token = token
        self._client = connection.client(Auth.Token(token))
        self._login = ""

    @property
    def is_app(self) -> bool:
        """A job's own token is an App's, and may write check runs as well."""
        return self._token.startswith("ghs_")

    def client(self, project: str) -> Github:
        """See `Access`."""
        del project
        return self._client

    def login(self, project: str) -> str:
        """See `Access`; asked once."""
        del project
        self._login = self._login or self._ask()
        return self._login

    def password(self, project: str) -> str:
        """See `Access`."""
        del project
        return self._token

    def disconnect(self) -> None:
        """See `Access`."""
        self._client.close()

    def _ask(self) -> str:
        try:
            return self._client.get_user().login
        except GithubException as error:
            if error.status == 403 and self._token.startswith("ghs_"):
                return _ACTIONS_LOGIN  # a job's token may not ask who it is
            raise


class AppAccess:
    """A GitHub App: a token for each project alone, with the least permissions, made anew before it runs out.

    Args:
        connection: Where GitHub is.
        app_id: The App's id.
        private_key: Its key, as PEM text.
    """

    def __init__(self, connection: Connection, app_id: int, private_key: str) -> None:
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
        self._login = ""
        self._projects: dict[str, tuple[ProjectAuth, Github]] = {}

    @property
    def is_app(self) -> bool:
        """See `Access`."""
        return True

    def client(self, project: str) -> Github:
        """See `Access`."""
        return self._project(project)[1]

    def login(self, project: str) -> str:
        """See `Access`; asked once."""
        del project
        self._login = self._login or f"{self._app.get_app().slug}[bot]"
        return self._login

    def password(self, project: str) -> str:
        """See `Access`."""
        return self._project(project)[0].token

    def disconnect(self) -> None:
        """See `Access`."""
        self._app.close()
        for _, client in self._projects.values():
            client.close()

    def _project(self, project: str) -> tuple[ProjectAuth, Github]:
        if project not in self._projects:
            auth = ProjectAuth(self._app, project)
            self._projects[project] = (auth, self._connection.client(auth))
        return self._projects[project]


@dataclass
class ProjectAuth(Auth.Auth):
    """An installation token that covers one project; PyGithub asks for it before each request.

    Attributes:
        app: The App.
        project: `owner/name`.
    """

    app: GithubIntegration
    project: str
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

    def _mint(self) -> None:
        owner, _, name = self.project.partition("/")
        installation = self.app.get_repo_installation(owner, name)
        granted = installation.raw_data.get("permissions") or {}
        # What the owner has not granted cannot be asked for; its use then says which permission is missing.
        permissions = {key: level for key, level in PERMISSIONS.items() if key in granted}
        wanted = {"repositories": [name], "permissions": permissions}
        url = f"/app/installations/{installation.id}/access_tokens"
        _, data = self.app.requester.requestJsonAndCheck("POST", url, input=wanted)
        answer: dict[str, Any] = data
        self._value = answer["token"]
        self._until = datetime.fromisoformat(answer["expires_at"])
