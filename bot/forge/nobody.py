"""Nobody on GitHub: enough to read what is public."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from github import Github
from github.Repository import Repository

from bot.errors import ForgeRefused
from bot.forge.api import Connection

_HOW_TO_READ: Final = "Set `github.token`; `contents: read` is enough to read."


class NobodyAccess:
    """Nobody: what is public can be read, a few dozen requests an hour, and nothing else can be done.

    Args:
        connection: Where GitHub is.
    """

    is_app = False

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client(None)

    def client(self, project: str) -> Github:
        """See `Access`."""
        del project
        return self._client

    reader = client

    def repositories(self, owner: str) -> Iterable[Repository]:
        """What an organisation or a person shows to everybody."""
        if owner == "*":
            raise ForgeRefused(
                "without a token nothing says which projects `*` stands for", hint=_HOW_TO_READ
            )
        return self._client.get_user(owner).get_repos()

    def login(self, project: str) -> str:
        """Nobody has no name, and finds and writes nothing of its own."""
        raise ForgeRefused(f"without a token {project} can only be read", hint=_HOW_TO_READ)

    def password(self, project: str) -> str:
        """See `Access`."""
        del project
        return ""

    def renew(self, project: str) -> bool:
        """There is nothing to renew."""
        del project
        return False

    def disconnect(self) -> None:
        """See `Access`."""
        self._client.close()
