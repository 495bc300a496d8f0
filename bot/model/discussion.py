"""What is said on pull requests, as the forge tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request or issue.

    Attributes:
        id: The forge's number of it.
        number: Of the pull request or issue.
        author: Login of who wrote it.
        text: What it says; text from outside.
        at: When it was written or last edited.
        edited: True where it does not say any more what it said at first.
    """

    id: int
    number: int
    author: str
    text: str
    at: datetime
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as it stands now.

    Attributes:
        number: The forge's number of it.
        commit: Its head commit.
        branch: Its branch.
        fork: True where its branch is in another repository: nothing of it is ever built.
        open: False where it is closed or merged.
        slot: What its marker names, where we opened it; empty for other people's.
        digest: What it proposes, likewise.
        url: Where a person reads it.
    """

    number: int
    commit: str
    branch: str
    fork: bool
    open: bool
    slot: str
    digest: str
    url: str
