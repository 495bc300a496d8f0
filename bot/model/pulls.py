"""Pull requests as everybody sees them, and what is said on their commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.model.run import Publication


@dataclass(frozen=True, slots=True)
class OpenPull:
    """An open pull request, whoever opened it.

    Attributes:
        number: Its number.
        url: Where a person reads it.
        author: Login of who opened it.
        branch: Its branch.
        base: The branch it goes to.
        commit: Its head now.
        trusted: True where its branch lives in the project itself: who opened it may push there.
        ours: What Refit knows it as, where Refit opened it.
    """

    number: int
    url: str
    author: str
    branch: str
    base: str
    commit: str
    trusted: bool
    ours: Publication | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a pull request changes.

    Attributes:
        files: The bytes at its head of those files that were asked for and that it changes.
        others: Paths of everything else it changes.
    """

    files: Mapping[str, bytes]
    others: tuple[str, ...] = ()


class Conclusion(StrEnum):
    """How a check ends."""

    SUCCESS = "success"
    NEUTRAL = "neutral"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sentence on one line of a file.

    Attributes:
        path: Path in the project.
        line: 1-based.
        conclusion: How grave it is.
        title: A few words.
        message: Plain text.
    """

    path: str
    line: int
    conclusion: Conclusion
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """What Refit says on a commit.

    Attributes:
        name: Its name; one commit has one check of a name.
        commit: The commit it is about.
        url: The pull request it belongs to.
        conclusion: How it ends.
        title: One line, at most 140 characters where a commit status carries it.
        summary: Markdown that is seen at once.
        details: Markdown below it.
        annotations: What stands on lines of files.
    """

    name: str
    commit: str
    url: str
    conclusion: Conclusion
    title: str
    summary: str
    details: str = ""
    annotations: tuple[Annotation, ...] = ()
