"""Releases of Debian, Ubuntu and Alpine: code names, order, and how long each is cared for.

The figures are data in the package (`data/releases.csv`, which names its public sources).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

FAMILIES: Final = ("debian", "ubuntu", "alpine")
_LTS_NAMES: Final = {"debian": "LTS", "ubuntu": "expanded security maintenance"}


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a distribution.

    Attributes:
        family: `debian`, `ubuntu` or `alpine`.
        number: `12`, `24.04`, `3.20`; empty for what is never released (Debian's sid).
        codename: `bookworm`, or empty.
        released: The day it came out, or None.
        supported: The last day of full support, or None while that is not known.
        lts: The last day of long-term support beyond that, or None.
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

    def __str__(self) -> str:
        return f"{self.family.capitalize()} {self.number or self.codename}"


def number_order(number: str) -> tuple[int, ...]:
    """`24.04` as numbers that compare."""
    return tuple(int(part) for part in number.split("."))


def interim(family: str, order: tuple[int, ...]) -> bool:
    """True for the Ubuntu releases between two LTS ones, which live nine months."""
    return family == "ubuntu" and (order[0] % 2 == 1 or order[1:] != (4,)) and order[0] < 9999


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


def life(release: Release, today: date) -> str:
    """How long a release is cared for, in words."""
    if release.released is None or release.released > today:
        return f"{release}: not released yet"
    if release.supported is None:
        return f"{release}: supported"
    if today <= release.supported:
        return f"{release}: supported until {release.supported}"
    if release.lts is None:
        return f"{release}: ended on {release.supported}"
    name = _LTS_NAMES.get(release.family, "LTS")
    return (
        f"{release}: {name} until {release.lts}"
        if today <= release.lts
        else f"{release}: ended on {release.lts}"
    )
