"""What a rescan of SBOMs finds: what became known, and what would fix it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.artifact import Sbom
from bot.model.run import Problem
from bot.model.vulnerability import Database, Scan, Vulnerability


class Remedy(StrEnum):
    """What would fix a vulnerability.

    `base`: today's base does already. `waiting`: the distribution has the fix, and today's base does not.
    `rebuild`: the Dockerfile's own installs would take the fix. `lock-file`: a newer version of a language
    package. `none`: nobody has a fix yet.
    """

    BASE = "base"
    WAITING = "waiting"
    REBUILD = "rebuild"
    LOCK_FILE = "lock-file"
    NONE = "none"


class Audience(StrEnum):
    """Who is told what became known, each from what it was told last.

    `service`: the log and the notifications of `refit serve`. `person`: whoever asks by hand.
    """

    SERVICE = "service"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Known:
    """A vulnerability of an SBOM.

    Attributes:
        vulnerability: Which, in which package.
        new: True where it became known since the audience was told last: its cause is `database`.
        remedy: What would fix it.
        fixed_since: When the distribution's fix was known at the latest; None without one.
    """

    vulnerability: Vulnerability
    new: bool
    remedy: Remedy
    fixed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rescanned:
    """One SBOM, scanned with today's database.

    Attributes:
        name: `project#target`.
        image: The base as the Dockerfile names it: `debian:bookworm-slim`.
        sbom: What was scanned; of the base alone where no build of the target is at hand.
        exact: False where it was made on another base than the one that the Dockerfile names now.
        scan: Of the SBOM, with today's database.
        known: Every vulnerability, worst first.
        withdrawn: Told before, and no longer known.
        note: Why nothing is told as new, where that cannot be known; empty otherwise.
        told_by: The scanner that was told from last, where this is another one: that may be why something is
            new, or no longer known; empty otherwise.
    """

    name: str
    image: str
    sbom: Sbom
    exact: bool
    scan: Scan
    known: tuple[Known, ...]
    withdrawn: tuple[Vulnerability, ...] = ()
    note: str = ""
    told_by: str = ""

    @property
    def cause(self) -> str:
        """Why something is new, in words."""
        return "scanner or database" if self.told_by else "database"

    @property
    def new(self) -> tuple[Known, ...]:
        """What became known since the audience was told last, worst first."""
        return tuple(one for one in self.known if one.new)


@dataclass(frozen=True, slots=True)
class SbomRescan:
    """A round over all SBOMs in use.

    Attributes:
        rescanned: By project, target and platform.
        problems: What could not be rescanned, and why.
        database: What it was scanned with; None where nothing was.
        seconds: How long it took.
    """

    rescanned: tuple[Rescanned, ...]
    problems: tuple[Problem, ...]
    database: Database | None
    seconds: float

    @property
    def new(self) -> tuple[tuple[Rescanned, Known], ...]:
        """Everything that became known, worst first: what is worth a message."""
        found = [(one, known) for one in self.rescanned for known in one.new]
        return tuple(sorted(found, key=lambda pair: pair[1].vulnerability.severity.rank))
