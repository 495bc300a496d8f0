"""Parts of a tag: what must stay the same, and what can be compared.

`1.27-alpine3.19` is a number of two places and a release of Alpine; `bookworm-20241111-slim` is a release of
Debian, a date and a word. Two tags are of one scheme when their parts have the same shapes; then
their values compare part by part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.updates.distributions import FAMILIES, Release, by_codename, by_number, number_order, numbered

Values = tuple[int, ...]


class PartKind(StrEnum):
    """What a part of a tag is."""

    WORD = "word"
    NUMBER = "number"
    BUILD = "build"
    DATE = "date"
    RELEASE = "release"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a tag.

    Attributes:
        kind: What it is.
        shape: What has to be equal in a tag of the same scheme.
        value: What is compared; empty where nothing is.
    """

    kind: PartKind
    shape: str
    value: Values = ()
    release: Release | None = None


_DATE_TIME: Final = re.compile(r"(20\d\d)(\d\d)(\d\d)(\d{4}|\d{6})?")
_YEAR_MONTH: Final = re.compile(r"(20\d\d)(0[1-9]|1[0-2])")
_LONG_DATE: Final = re.compile(r"(20\d\d)-(\d\d)-(\d\d)(?:T(\d\d)-(\d\d)-(\d\d)Z)?")
_HASH: Final = re.compile(r"(?=.*[a-f])(?=.*\d)g?[0-9a-f]{7,64}")
_UNIX_TIME: Final = re.compile(r"1\d{9}|1\d{12}")
_GLUED_OS: Final = re.compile(rf"({'|'.join(FAMILIES)})(\d+(?:\.\d+)*)")
_BUILD: Final = re.compile(
    r"(r|b|ls|build|rev|p|patch|sp|cu|u|update|post|eksbuild|gke|k3s|rke2r)\.?(\d{1,9})", re.IGNORECASE
)
_PROCESSOR: Final = re.compile(
    r"amd64|x86|x64|i[3-6]86|arm(?:32|64)?(?:v[5-9])?|armv\d+|armhf|aarch64|ppc64(?:le|el)?|s390x?|riscv64|mips64(?:le)?"
)
_YEARS: Final = range(1900, 2200)


def release_part(token: str) -> Part | None:
    """A code name (`bookworm`) or a distribution with its number (`alpine3.19`)."""
    if (release := by_codename().get(token)) is not None:
        return Part(PartKind.RELEASE, f"{release.family} name", release.order, release)
    found = _GLUED_OS.fullmatch(token)
    return release_number(found[1], found[2]) if found else None


def release_number(family: str, number: str, joint: str = "") -> Part:
    """A distribution's release by number, joined as in `alpine3.19` or `debian-12`."""
    places = number.count(".") + 1
    return Part(
        PartKind.RELEASE, f"{family}{joint}number.{places}", number_order(number), numbered(family, number)
    )


def known_release(family: str, number: str) -> bool:
    """Tell whether a number is a release of a distribution, and not some product's version."""
    return (family, number) in by_number()


def date_part(token: str) -> Part | None:
    """A date: `20241111`, `202411111230`, `202411`, `2024-11-11`, `2024-01-01T00-00-00Z`."""
    if (short := _YEAR_MONTH.fullmatch(token)) is not None:
        return Part(PartKind.DATE, "month", (int(short[1]), int(short[2])))
    found = _DATE_TIME.fullmatch(token) or _LONG_DATE.fullmatch(token)
    if found is None:
        return None
    year, month, day = (int(found[place]) for place in (1, 2, 3))
    try:
        date(year, month, day)
    except ValueError:
        return None
    time = tuple(int(group) for group in found.groups()[3:] if group)
    return Part(PartKind.DATE, re.sub(r"\d+", "9", token) + str(len(token)), (year, month, day, *time))


def hash_part(token: str, before: str) -> Part | None:
    """A git hash or digest. A run of seven or more digits that is no date may be one too: it has no order."""
    if _UNIX_TIME.fullmatch(token):
        return Part(PartKind.DATE, f"unix{len(token)}", (int(token),))
    marked = before in {"sha", "git", "commit", "sha256", "rev"} and re.fullmatch(r"[0-9a-f]{6,64}", token)
    many_digits = token.isdigit() and len(token) >= 7
    return Part(PartKind.HASH, "hash") if marked or many_digits or _HASH.fullmatch(token) else None


def build_part(token: str) -> Part | None:
    """A counter of rebuilds: `r5`, `ls123`, `b10`, `cu12`."""
    found = _BUILD.fullmatch(token)
    return Part(PartKind.BUILD, f"{found[1]}#", (int(found[2]),)) if found else None


def number_scheme(values: Values) -> str:
    """Years are no numbers: 1.2.3 and 2024.1.1 are two schemes, and so are 3 and 20250108."""
    if values[0] in _YEARS:
        return "year"
    return "number" if values[0] < 100_000 else "serial"


def is_processor(token: str) -> bool:
    """True for `amd64`, `arm32v7` and the like, whose digits are no version."""
    return _PROCESSOR.fullmatch(token) is not None
