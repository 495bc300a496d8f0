"""Who Refit is on GitHub: the owner of a token, or an App installed on the projects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from github import Auth, Github, GithubException, GithubIntegration
from github.AuthenticatedUser import AuthenticatedUser
from github.Organization import Organization
from github.PaginatedList import PaginatedList
from github.Repository import Repository

from bot.forge.api import Connection
from bot.forge.installation import READING, ProjectAuth

_ACTIONS_LOGIN: Final = "github-actions[bot]"


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
