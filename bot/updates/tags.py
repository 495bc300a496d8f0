"""Tags: reading their scheme, comparing them, and choosing the highest that is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from bot.model.update import UpdateKind
from bot.updates.explain import Seen
from bot.updates.parts import Part, PartKind, Values
from bot.updates.read import Prerelease, read
from bot.updates.releases import by_codename, interim

_NO_PRERELEASE: Final[Values] = (1,)


@dataclass(frozen=True)
class Tag:
    """A tag and what it is made of.

    Attributes:
        text: The tag as written.
        parts: Its parts in order, the pre-release taken out.
        prerelease: How far the pre-release is: the rank of its word, then its numbers; None for a release.
    """

    text: str
    parts: tuple[Part, ...]
    prerelease: Prerelease | None = None

    @classmethod
    def parse(cls, text: str, *, repository: str = "") -> Self:
        """Read any tag; one that follows no scheme is a single word."""
        parts, prerelease = read(text, repository)
        return cls(text, parts, prerelease)

    @cached_property
    def shape(self) -> tuple[str, ...]:
        """What two tags of one scheme have in common: prefix, precision, suffix, variant."""
        return tuple(f"{part.kind} {part.shape}" for part in self.parts)

    @cached_property
    def key(self) -> tuple[Values, ...]:
        """What orders the tags of one scheme; a pre-release comes before its release."""
        keys: list[Values] = []
        for part in self.parts:
            if part.value:
                keys.append(part.value)
            if part.kind is PartKind.NUMBER:
                keys.append((0, *self.prerelease) if self.prerelease else _NO_PRERELEASE)
        return tuple(keys)

    @property
    def versioned(self) -> bool:
        """False for `latest`, `alpine`, a git hash: nothing in it can be compared."""
        return any(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen from a list of tags, and why not the others.

    Attributes:
        tag: The chosen tag, or None to stay.
        kind: How far it goes, or None.
        seen: Tags looked at with what was found about each; bounded, the nearest first.
        higher: The highest tag of the scheme that goes further than allowed, or None.
    """

    tag: str | None = None
    kind: UpdateKind | None = None
    seen: tuple[tuple[str, str], ...] = ()
    higher: str | None = None


def choose(current: str, tags: Iterable[str], allow: UpdateKind, *, repository: str = "") -> Choice:
    """Choose the highest tag that has the scheme of the current one and goes no further than allowed.

    Reads the tags one by one and keeps none but the best, so that lists of any length take the same memory.
    A release is preferred to a pre-release, and never gives way to one.
    """
    now = Tag.parse(current, repository=repository)
    best: Tag | None = None
    higher: Tag | None = None
    seen = Seen()
    if not now.versioned:
        return Choice()
    for text in tags:
        tag = Tag.parse(text, repository=repository)
        if why := why_not(now, tag):
            seen.rejected(text, why, near=tag.shape == now.shape)
        elif kind_of(now, tag).rank > allow.rank:
            seen.candidate(text, tag.key, f"{kind_of(now, tag).value}, which the rule does not allow")
            higher = _better(higher, tag)
        else:
            seen.candidate(text, tag.key, f"{kind_of(now, tag).value} update")
            best = _better(best, tag)
    kind = kind_of(now, best) if best else None
    return Choice(best and best.text, kind, seen.rows(best and best.text), higher and higher.text)


def why_not(current: Tag, other: Tag) -> str:
    """Why a tag is no update of another at any level, in words; empty where it is one."""
    if other.text == current.text:
        return "the tag in use"
    if other.shape != current.shape:
        return _difference(current, other)
    if other.prerelease and not current.prerelease:
        return "a pre-release"
    if other.key <= current.key or _goes_back(current, other):
        return "not newer"
    return _unfit_release(current, other)


def kind_of(current: Tag, other: Tag) -> UpdateKind:
    """How far the way from one tag to a newer one of its scheme goes."""
    kinds = [UpdateKind.PATCH]
    for place, (old, new) in enumerate(zip(current.parts, other.parts, strict=True)):
        if old.value == new.value:
            continue
        if old.kind is PartKind.RELEASE:
            kinds.append(UpdateKind.MAJOR)
        elif old.kind is PartKind.NUMBER or (old.kind is PartKind.DATE and _leads(current, place)):
            kinds.append(_level(old.value, new.value))
    return max(kinds, key=lambda kind: kind.rank)


def _leads(tag: Tag, place: int) -> bool:
    return not any(part.value for part in tag.parts[:place])


def _level(old: Values, new: Values) -> UpdateKind:
    """By the first place that differs: the first is major, the second minor, the others patch."""
    place = next(index for index, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
    return (UpdateKind.MAJOR, UpdateKind.MINOR)[place] if place < 2 else UpdateKind.PATCH


def _better(best: Tag | None, other: Tag) -> Tag:
    if best is None:
        return other
    return max(best, other, key=lambda tag: (tag.prerelease is None, tag.key, tag.text))


def _goes_back(current: Tag, other: Tag) -> bool:
    """True where a newer version stands on an older release of its distribution, or an earlier day."""
    pairs = zip(current.parts, other.parts, strict=True)
    return any(new.value < old.value for old, new in pairs if old.kind in (PartKind.RELEASE, PartKind.DATE))


def _unfit_release(current: Tag, other: Tag) -> str:
    for old, new in zip(current.parts, other.parts, strict=True):
        if old.kind is not PartKind.RELEASE or old.value == new.value:
            continue
        family = old.shape.split()[0].rstrip("-_0123456789")
        if family.startswith("ubuntu") and interim("ubuntu", new.value) and not interim("ubuntu", old.value):
            return "an interim release, and the one in use is LTS"
        if any(_unreleased(word) for word in other.text.split("-")):
            return "not released yet"
    return ""


def _unreleased(word: str) -> bool:
    release = by_codename().get(word)
    return release is not None and release.released is None


def _difference(current: Tag, other: Tag) -> str:
    """Say in which respect two tags are of different schemes."""
    if not other.versioned:
        return "no version in it"
    kinds = [[part.kind for part in tag.parts if part.value] for tag in (current, other)]
    if kinds[0] != kinds[1]:
        return "another scheme"
    words = [[part.shape for part in tag.parts if part.kind is PartKind.WORD] for tag in (current, other)]
    if words[0] != words[1]:
        return "another prefix, suffix or variant"
    return "another precision or scheme of numbers"
