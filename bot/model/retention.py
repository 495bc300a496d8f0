"""What is expired after its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.model.run import Problem


class Expiring(StrEnum):
    """What the store removes after its time."""

    MEASUREMENTS = "measurements"
    EVIDENCE = "evidence"
    SCANS = "scans"
    CYCLES = "cycles"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each is kept; what is in use stays however old it is."""

    measurements: timedelta = timedelta(days=1096)
    evidence: timedelta = timedelta(days=400)
    scans: timedelta = timedelta(days=90)
    cycles: timedelta = timedelta(days=400)
    sboms: timedelta = timedelta(days=90)
    artifacts: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up removed.

    Attributes:
        expired: Rows of the store, for each kind.
        sboms: SBOMs that nothing had used for long, and those whose document is gone.
        artifacts: Documents removed.
        bytes: What they took.
        problems: What could not be cleaned; the rest was.
    """

    expired: Mapping[Expiring, int] = field(default_factory=dict)
    sboms: int = 0
    artifacts: int = 0
    bytes: int = 0
    problems: tuple[Problem, ...] = ()
