"""Outcomes: what a use's image should become, and why.

Each outcome carries its one `word`, which the outputs write and the store reads it back by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from bot.model.reference import Reference
from bot.model.use import Use


class UpdateKind(StrEnum):
    """How far an update goes, from the least to the most."""

    PIN = "pin"
    DIGEST = "digest"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """0 for pin … 4 for major."""
        return list(UpdateKind).index(self)


class Grouping(StrEnum):
    """What shares one pull request."""

    IMAGE = "image"
    PROJECT = "project"
    FILE = "file"


class Blocked(StrEnum):
    """What becomes of an update that the verdict blocks: a draft, its target's issue, or only a report."""

    DRAFT = "draft"
    ISSUE = "issue"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Current:
    """Nothing newer, by the rules in force."""

    note: str = ""
    word: Literal["current"] = "current"


@dataclass(frozen=True, slots=True)
class Update:
    """Something newer that the rules allow.

    Attributes:
        kind: How far it goes.
        to: The new reference, in the spelling of the old one.
        reason: One sentence: why this and not another.
        created: When the new image says it was made (self-reported), or None.
        first_seen: When Refit saw the new digest first, or None.
        age_verified: False where the age rests on the image's own word.
        waived: True where a security waiver overrode the minimum age.
        name: The most precise tag with the same digest (`bookworm-20261110-slim`), or None.
        old_name: The same for the old digest.
        notes: Facts a reviewer should see: end of life, a tag that moved back.
        auto_merge: False where nothing may merge this without a person.
    """

    kind: UpdateKind
    to: Reference
    reason: str
    created: datetime | None = None
    first_seen: datetime | None = None
    age_verified: bool = True
    waived: bool = False
    name: str | None = None
    old_name: str | None = None
    notes: tuple[str, ...] = ()
    auto_merge: bool = True
    word: Literal["update"] = "update"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update that is held back: minimum age, a settling index, a snooze, a limit."""

    reason: str
    to: Reference | None = None
    word: Literal["waiting"] = "waiting"


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The tag no longer moves while its siblings do.

    Attributes:
        reason: Since when, and what moves instead.
        candidates: Tags to choose from, best first.
    """

    reason: str
    candidates: tuple[str, ...] = ()
    word: Literal["abandoned"] = "abandoned"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Left alone on purpose, with the reason in words."""

    reason: str
    word: Literal["skipped"] = "skipped"


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be decided; never the same as "current".

    Attributes:
        error: What failed, and where.
        hint: What to do.
        unanswered: True where an outside service gave no answer: the same question may be answered later.
    """

    error: str
    hint: str = ""
    word: Literal["failed"] = "failed"
    unanswered: bool = False


Outcome = Current | Update | Waiting | Abandoned | Skipped | Failed


@dataclass(frozen=True, slots=True)
class Decision:
    """A use and its outcome."""

    use: Use
    outcome: Outcome


def outcome_reason(outcome: Outcome) -> str | None:
    """Why, in words; None only for `current`."""
    match outcome:
        case Current():
            return None
        case Failed(error=error):
            return error
        case Update() | Waiting() | Abandoned() | Skipped():
            return outcome.reason
        case _:
            assert_never(outcome)
