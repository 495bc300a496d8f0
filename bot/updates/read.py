"""Reading a tag into its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from bot.updates.distributions import FAMILIES, numbered
from bot.updates.parts import (
    Part,
    PartKind,
    Values,
    build_part,
    date_part,
    hash_part,
    is_processor,
    known_release,
    number_scheme,
    release_number,
    release_part,
)

Prerelease = Values

_RANKS: Final = {
    "dev": 0, "nightly": 0, "canary": 0, "snapshot": 0, "ea": 1, "a": 2, "alpha": 2, "b": 3, "beta": 3,
    "m": 4, "milestone": 4, "pre": 5, "preview": 5, "c": 6, "cr": 6, "rc": 6,
}  # fmt: skip
# The other words name variants where no number follows: `20-dev` is no early form of 20.
_ALONE: Final = frozenset({"snapshot", "ea", "alpha", "beta", "milestone", "pre", "preview", "cr", "rc"})
_ONLY_GLUED: Final = frozenset({"a", "b", "c"})
_TOKENS: Final = re.compile(r"20\d\d-\d\d-\d\d(?:T\d\d-\d\d-\d\dZ)?(?=[-_]|$)|[^-_]+|[-_]")
_PRERELEASE: Final = re.compile(r"([A-Za-z]+)\.?(\d{1,14}(?:\.\d{1,14})*)?")
_NUMBER: Final = re.compile(
    r"(?P<prefix>[A-Za-z]*\.?)(?P<number>\d+(?:\.\d+)*)"
    r"(?:u(?P<update>\d+)"
    r"|\.?(?P<pre>(?:alpha|beta|preview|pre|dev|cr|rc|a|b|c)\.?\d+)"
    r"|\.?post(?P<post>\d+)"
    r"|(?P<tail>\.[A-Za-z]+))?",
    re.IGNORECASE,
)
_COUNTED: Final = (PartKind.NUMBER, PartKind.BUILD, PartKind.DATE)


def read(text: str, repository: str) -> tuple[tuple[Part, ...], Prerelease | None]:
    """Split a tag into its parts, and its pre-release apart from them."""
    dated, rest = ("RELEASE.", text[8:]) if text.startswith("RELEASE.20") else ("", text)
    tokens = _TOKENS.findall(rest)
    reading = _Reading(tokens, _primary(tokens), repository.rpartition("/")[2])
    if dated:
        reading.parts.append(Part(PartKind.WORD, dated))
    reading.run()
    return tuple(reading.parts), reading.prerelease


def _primary(tokens: list[str]) -> int | None:
    """The place of the version: the first plain number, else the first one glued to letters (`php8.2`)."""
    glued: int | None = None
    for place, token in enumerate(tokens):
        found = _NUMBER.fullmatch(token)
        if found is None or _is_something_else(tokens, place):
            continue
        if found["prefix"].lower() in ("", "v"):
            return place
        glued = place if glued is None else glued
    return glued


def _is_something_else(tokens: list[str], place: int) -> bool:
    token, before = tokens[place], tokens[place - 2] if place >= 2 else ""
    return (
        is_processor(token)
        or release_part(token) is not None
        or date_part(token) is not None
        or hash_part(token, before) is not None
        or (before in FAMILIES and known_release(before, token))
    )


@dataclass(slots=True)
class _Reading:
    """Reads the tokens of one tag from left to right."""

    tokens: list[str]
    primary: int | None
    image: str
    parts: list[Part] = field(default_factory=list)
    prerelease: Prerelease | None = None

    def run(self) -> None:
        """Read every token."""
        place = 0
        while place < len(self.tokens):
            place += self._prerelease(place) or self._release(place) or self._single(place)

    def _prerelease(self, place: int) -> int:
        """Take `rc1`, `rc.1` or `rc-1` after the version, with the separator before it."""
        found = _PRERELEASE.fullmatch(self.tokens[place])
        if found is None or self.prerelease or self.primary is None or place <= self.primary:
            return 0
        word, number, used = found[1].lower(), found[2], 1
        if word not in _RANKS or word in _ONLY_GLUED:
            return 0
        if number is None and "".join(self.tokens[place + 2 : place + 3]).isdecimal():
            number, used = self.tokens[place + 2], 3
        if number is None and word not in _ALONE:
            return 0
        self.prerelease = _prerelease_of(word, number)
        self.parts.pop()
        return used

    def _release(self, place: int) -> int:
        """Take a distribution's word and number, `debian-12`."""
        family, *rest = self.tokens[place : place + 3]
        if family not in FAMILIES or len(rest) < 2 or not known_release(family, rest[1]):
            return 0
        self.parts.append(release_number(family, rest[1], rest[0]))
        return 3

    def _single(self, place: int) -> int:
        token = self.tokens[place]
        if place == self.primary:
            self._number(token)
        else:
            self.parts.append(self._part(place, token))
        return 1

    def _number(self, token: str) -> None:
        found = _NUMBER.fullmatch(token)
        if found is None:
            raise AssertionError(f"not a version: {token!r}")
        if self.image == "ubuntu" and found.end("number") == len(token) and known_release("ubuntu", token):
            self.parts.append(release_number("ubuntu", token))
            return
        values = tuple(int(number) for number in found["number"].split("."))
        shape = f"{found['prefix']}{number_scheme(values)}.{len(values)}{found['tail'] or ''}"
        release = numbered(self.image, found["number"]) if self.image in FAMILIES else None
        self.parts.append(Part(PartKind.NUMBER, shape, values, release))
        if found["update"]:
            self.parts.append(Part(PartKind.BUILD, "u#", (int(found["update"]),)))
        if found["post"]:
            self.parts.append(Part(PartKind.BUILD, "post#", (int(found["post"]),)))
        if found["pre"] and (pre := _PRERELEASE.fullmatch(found["pre"])):
            self.prerelease = _prerelease_of(pre[1].lower(), pre[2])

    def _part(self, place: int, token: str) -> Part:
        before = self.tokens[place - 2] if place >= 2 else ""
        word = Part(PartKind.WORD, token)
        if token in ("-", "_") or is_processor(token):
            return word
        if part := release_part(token) or date_part(token) or hash_part(token, before):
            return part
        if self.primary is None or place < self.primary:
            return word
        if token.isdecimal() and self._counts():
            return Part(PartKind.BUILD, "#", (int(token),))
        return build_part(token) or word

    def _counts(self) -> bool:
        """True right after a version, where a lone number counts rebuilds (`17.0.1_12`, `1.2.3-4`)."""
        return len(self.parts) >= 2 and self.parts[-2].kind in _COUNTED


def _prerelease_of(word: str, number: str | None) -> Prerelease:
    return (_RANKS[word], *(int(part) for part in (number or "0").split(".")))
