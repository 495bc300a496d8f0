"""What a project says about itself: it may only narrow what the operator allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.model.update import UpdateKind

FILE = ".github/refit.yaml"


@dataclass(frozen=True, slots=True)
class Silence:
    """Images that a project wants to hear nothing about; patterns as in a rule."""

    images: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A project's own wishes, from its default branch.

    Attributes:
        enabled: False: nothing is looked at.
        exclude: Globs (gitignore syntax) of files left out.
        silent: Images left alone, each with the reason.
        allow: The farthest an update may go; None leaves it to the operator.
        minimum_age: The least age; None likewise.
        build: False: nothing of it is built, so evidence stays at level base.
        auto_merge: False: nothing is merged by itself.
    """

    enabled: bool = True
    exclude: tuple[str, ...] = ()
    silent: tuple[Silence, ...] = ()
    allow: UpdateKind | None = None
    minimum_age: timedelta | None = None
    build: bool = True
    auto_merge: bool = True
