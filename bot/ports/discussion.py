"""What people say on pull requests, and who they are there."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.model.discussion import Comment, Pull


class Discussion(Protocol):
    """Comments on a forge. Blocking; raises `ForgeError`s; safe from several threads."""

    def login(self, project: str) -> str:
        """The name we write under."""
        ...

    def may_write(self, project: str, login: str) -> bool:
        """Whether this account may push to the project, as the forge says now."""
        ...

    def pull(self, project: str, number: int) -> Pull | None:
        """A pull request as it stands now; None where the number is an issue's."""
        ...

    def react(self, project: str, comment: int, sign: str) -> None:
        """Put a reaction (`eyes`, `confused`) under a comment, once."""
        ...

    def answer(self, project: str, number: int, key: str, text: str) -> None:
        """Have one comment of ours with this key, kept up to date."""
        ...

    def since(self, project: str, moment: datetime) -> tuple[Comment, ...]:
        """Comments written or edited at or after a moment, oldest first."""
        ...
