"""Tokens of a GitHub App's installation: each for as little as it is needed for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from github import Auth, GithubIntegration

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_EARLY: Final = timedelta(minutes=5)
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
