"""Which of an owner's projects are meant by a glob."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from github.Repository import Repository


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a project must be like to be meant.

    Attributes:
        topics: It has one of these; empty asks for none.
        archived: Archived ones too; nothing can be proposed to them.
        forks: Forks too.
    """

    topics: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False


def matching(repositories: Iterable[Repository], pattern: str, wanted: Wanted) -> tuple[str, ...]:
    """The full names that a glob means, sorted; `*` does not cross the slash."""
    owner, _, name = pattern.lower().partition("/")
    return tuple(
        sorted(
            one.full_name
            for one in repositories
            if fnmatchcase(one.full_name.partition("/")[0].lower(), owner)
            and fnmatchcase(one.name.lower(), name)
            and _meets(one, wanted)
        )
    )


def _meets(one: Repository, wanted: Wanted) -> bool:
    topical = not wanted.topics or not set(wanted.topics).isdisjoint(one.topics or ())
    return topical and (wanted.archived or not one.archived) and (wanted.forks or not one.fork)
