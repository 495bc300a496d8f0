"""What a machine that may only read asks one that may write to write, each safe to be done again."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.pulls import Check
from bot.model.run import Issue, Publication


@dataclass(frozen=True, slots=True)
class ShowIssue:
    """Open an issue, or bring the open one up to date."""

    wanted: Issue
    existing: Publication | None


@dataclass(frozen=True, slots=True)
class Close:
    """Close a pull request or issue of ours with a comment that says why."""

    publication: Publication
    comment: str


@dataclass(frozen=True, slots=True)
class Attest:
    """Say it on a commit."""

    check: Check


@dataclass(frozen=True, slots=True)
class Say:
    """Have one comment of ours with this key and text."""

    url: str
    key: str
    text: str


Writing = ShowIssue | Close | Attest | Say
