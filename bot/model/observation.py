"""Observations: what a round of HEADs saw behind every tag under care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.reference import Reference
from bot.model.run import Problem


class Change(StrEnum):
    """What a round saw behind a tag, beside the rounds before it."""

    NEW = "new"
    MOVED = "moved"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is behind a tag now.

    Attributes:
        reference: The tag.
        digest: What it points at.
        change: Whether that was seen before.
        first_seen: When Refit saw this digest here first.
    """

    reference: Reference
    digest: str
    change: Change
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """A round of HEADs: what each tag points at, what failed, and what it cost.

    Attributes:
        at: When.
        asked: How many distinct tags were asked about.
        sightings: By reference.
        problems: Projects that could not be read, references that could not be asked about.
        requests: Registry requests by method.
        quota: What each registry says is left: host → `98/100`.
    """

    at: datetime
    asked: int
    sightings: tuple[Sighting, ...]
    problems: tuple[Problem, ...]
    requests: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, str] = field(default_factory=dict)

    @property
    def new(self) -> int:
        """How many digests were seen for the first time."""
        return sum(one.change is not Change.SAME for one in self.sightings)
