"""Distributions: the releases of Debian, Ubuntu and Alpine, their order, and how long each is cared for.

The figures are data in the package (`data/releases.csv`, which names its public sources).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

FAMILIES: Final = ("debian", "ubuntu", "alpine")
NEAR: Final = timedelta(days=180)
"""Support that ends within this time is worth a note."""


class State(StrEnum):
    """How a release is cared for."""

    PLANNED = "planned"
    SUPPORTED = "supported"
    LTS = "lts"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a distribution.

    Attributes:
        family: `debian`, `ubuntu` or `alpine`.
        number: `12`, `24.04`, `3.20`; empty for what is never released (Debian's sid).
        codename: `bookworm`, or empty.
        released: The day it came out, or None.
        supported: The last day of full support, or None while that is not known.
        lts: The last day of long-term support beyond that, free for everybody, or None.
    """

    family: str
    number: str
    codename: str
    released: date | None
    supported: date | None
    lts: date | None

    @property
    def order(self) -> tuple[int, ...]:
        """Its place among the releases of its family; what is never released comes last."""
        return number_order(self.number) if self.number else (9999,)

    @property
    def interim(self) -> bool:
        """True for the Ubuntu releases between two LTS ones, which live nine months."""
        year, *month = self.order
        return self.family == "ubuntu" and (year % 2 == 1 or month != [4])

    def state(self, today: date) -> State:
        """The state on a day."""
        if self.released is None or self.released > today:
            return State.PLANNED
        if self.supported is None or today <= self.supported:
            return State.SUPPORTED
        return State.LTS if self.lts is not None and today <= self.lts else State.ENDED

    def __str__(self) -> str:
        return f"{self.family.capitalize()} {self.number or self.codename}"


def number_order(number: str) -> tuple[int, ...]:
    """`24.04` as numbers that compare."""
    return tuple(int(part) for part in number.split("."))


@cache
def by_codename() -> Mapping[str, Release]:
    """All releases that have a code name."""
    return {release.codename: release for release in _all() if release.codename}


@cache
def by_number() -> Mapping[tuple[str, str], Release]:
    """All releases by family and number."""
    return {(release.family, release.number): release for release in _all() if release.number}


@cache
def _all() -> tuple[Release, ...]:
    text = files("bot.updates").joinpath("data", "releases.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Release(
            row["family"],
            row["number"],
            row["codename"],
            _date(row["released"]),
            _date(row["supported"]),
            _date(row["lts"]),
        )
        for row in rows
    )


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def numbered(family: str, number: str) -> Release | None:
    """The release a version belongs to: Debian 12.5 is Debian 12, Alpine 3.20.3 is Alpine 3.20."""
    places = 1 if family == "debian" else 2
    return by_number().get((family, ".".join(number.split(".")[:places])))


def life(release: Release, today: date) -> str:
    """How long a release is cared for, in words: `Debian 12: LTS until 2028-06-30`."""
    match release.state(today):
        case State.PLANNED:
            return f"{release}: not released yet"
        case State.SUPPORTED:
            until = f" until {release.supported}" if release.supported else ""
            return f"{release}: supported{until}"
        case State.LTS:
            return f"{release}: LTS until {release.lts}"
        case State.ENDED:
            return f"{release}: support ended on {release.lts or release.supported}"


def end_of_life(release: Release, today: date) -> str | None:
    """`life` where a reader should know it: past the full support, or within `NEAR` of its end; else None."""
    state = release.state(today)
    if state is State.SUPPORTED and (release.supported is None or release.supported - today > NEAR):
        return None
    return life(release, today)
