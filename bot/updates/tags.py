"""Tags: reading their scheme, comparing them, and choosing the highest that is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Self

from bot.model.update import UpdateKind
from bot.updates.distributions import Release
from bot.updates.parts import Part, PartKind, Values
from bot.updates.read import Prerelease, read
from bot.updates.rejected import Rejected, Rejections

_NO_PRERELEASE: Final[Values] = (1,)
_SHOWN: Final = 5
_TRIED: Final = 20  # a tag may be too young, and so may the next: `3.21-20261125` comes every day
_LONGEST: Final = 128  # what a registry may call a tag (OCI distribution-spec)


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
        if len(text) > _LONGEST or not text.isascii():
            return cls(text, (Part(PartKind.WORD, text),))
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
    def releases(self) -> tuple[Release, ...]:
        """The distribution releases it names, those that are known."""
        return tuple(part.release for part in self.parts if part.release is not None)

    @property
    def versioned(self) -> bool:
        """False for `latest`, `alpine`, a git hash: nothing in it can be compared."""
        return any(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A newer tag of the same scheme, and how far the way to it goes."""

    tag: str
    kind: UpdateKind


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen from a list of tags, and why not the others.

    Attributes:
        tag: The chosen tag, or None to stay.
        kind: How far it goes, or None.
        ranked: The best tags within what is allowed, the chosen one first.
        beyond: The best tags that go further than allowed, best first, a few of each kind.
        rejected: Why tags were no candidates: reason, how many tags, a few of them; the most common first.
        total: How many tags were looked at.
    """

    tag: str | None = None
    kind: UpdateKind | None = None
    ranked: tuple[Candidate, ...] = ()
    beyond: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    total: int = 0

    @property
    def higher(self) -> str | None:
        """The best tag of the scheme that goes further than allowed, or None."""
        return self.beyond[0].tag if self.beyond else None

    @property
    def seen(self) -> tuple[tuple[str, str], ...]:
        """Tags with what was found about each: the candidates, then a few examples of each rejection."""
        beyond = [(one.tag, f"a {one.kind} update, further than the rule allows") for one in self.beyond]
        within = [
            (one.tag, "taken" if one.tag == self.tag else "there is a better one") for one in self.ranked
        ]
        others = [(tag, row.reason) for row in self.rejected for tag in row.examples]
        return tuple(beyond + within + others)


def choose(
    current: str, tags: Iterable[str], allow: UpdateKind, *, repository: str = "", today: date | None = None
) -> Choice:
    """Choose the highest tag that has the scheme of the current one and goes no further than allowed.

    Reads the tags one by one and keeps none but the best, so that lists of any length take the same
    memory. A release is preferred to a pre-release, and never gives way to one. The order of the tags
    does not matter.

    Args:
        current: The tag in use.
        tags: Every tag of the repository. From a part of them, no right choice can be made.
        allow: How far to go; pin and digest keep the tag.
        repository: Tells what a bare number means: in `ubuntu` it is a release.
        today: Leaves out distribution releases of later days; None knows only those with no day at all.
    """
    now = Tag.parse(current, repository=repository)
    best: dict[UpdateKind, list[Tag]] = {}
    rejections = Rejections()
    total = 0
    for total, text in enumerate(tags, 1):  # noqa: B007 - the count is used after the loop
        tag = Tag.parse(text, repository=repository)
        if why := why_not(now, tag, today):
            rejections.add(text, why)
        else:
            kind = kind_of(now, tag)
            _keep(best.setdefault(kind, []), tag, _TRIED if kind.rank <= allow.rank else _SHOWN)
    return _choice(now, best, allow, rejections, total)


def _choice(
    now: Tag, best: Mapping[UpdateKind, list[Tag]], allow: UpdateKind, rejections: Rejections, total: int
) -> Choice:
    tags = sorted((tag for kept in best.values() for tag in kept), key=_rank, reverse=True)
    candidates = [Candidate(tag.text, kind_of(now, tag)) for tag in tags]
    within = tuple(one for one in candidates if one.kind.rank <= allow.rank)
    beyond = tuple(one for one in candidates if one.kind.rank > allow.rank)
    chosen = within[0] if within else None
    return Choice(
        tag=chosen.tag if chosen else None,
        kind=chosen.kind if chosen else None,
        ranked=within[:_TRIED],
        beyond=beyond,
        rejected=rejections.rows(),
        total=total,
    )


def _keep(kept: list[Tag], tag: Tag, most: int) -> None:
    """Add a tag to the few best; the same text twice is one tag."""
    if len(kept) == most and _rank(tag) <= _rank(kept[-1]):
        return
    if all(tag.text != other.text for other in kept):
        kept.append(tag)
        kept.sort(key=_rank, reverse=True)
        del kept[most:]


def _rank(tag: Tag) -> tuple[bool, tuple[Values, ...], str]:
    return (tag.prerelease is None, tag.key, tag.text)


def why_not(current: Tag, other: Tag, today: date | None = None) -> str:
    """Why a tag is no update of another at any level, in words; empty where it is one."""
    if other.text == current.text:
        return "the tag in use"
    if other.shape != current.shape:
        return _difference(current, other)
    if other.prerelease and not current.prerelease:
        return "a pre-release"
    if other.key <= current.key or _goes_back(current, other):
        return "not newer"
    return _unfit_release(current, other, today)


def kind_of(current: Tag, other: Tag) -> UpdateKind:
    """How far the way from one tag to a newer one of its scheme goes.

    The first number of a version is major, the second minor, the others patch; a leading date counts as
    year, month, day. Another release of Debian, Ubuntu or the like is major whatever its number, since
    everything underneath changes; Alpine's count like a version (3.19 to 3.20 is minor). Rebuilds,
    snapshot days, and a pre-release's way to its release are patch.
    """
    kinds = [UpdateKind.PATCH]
    for place, (old, new) in enumerate(zip(current.parts, other.parts, strict=True)):
        if old.value == new.value:
            continue
        if old.kind is PartKind.RELEASE and not old.shape.startswith("alpine"):
            kinds.append(UpdateKind.MAJOR)
        elif old.kind in (PartKind.NUMBER, PartKind.RELEASE) or (
            old.kind is PartKind.DATE and _leads(current, place)
        ):
            kinds.append(_level(old.value, new.value))
    return max(kinds, key=lambda kind: kind.rank)


def _leads(tag: Tag, place: int) -> bool:
    return not any(part.value for part in tag.parts[:place])


def _level(old: Values, new: Values) -> UpdateKind:
    """By the first place that differs: the first is major, the second minor, the others patch."""
    place = next(index for index, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
    return (UpdateKind.MAJOR, UpdateKind.MINOR)[place] if place < 2 else UpdateKind.PATCH


def _goes_back(current: Tag, other: Tag) -> bool:
    """True where a newer version stands on an older release of its distribution, or an earlier day."""
    pairs = zip(current.parts, other.parts, strict=True)
    return any(new.value < old.value for old, new in pairs if old.kind in (PartKind.RELEASE, PartKind.DATE))


def _unfit_release(current: Tag, other: Tag, today: date | None) -> str:
    """Say why nobody should be sent to a release: interim where LTS is in use, or not released yet."""
    for old, new in zip(current.releases, other.releases, strict=False):
        if new == old:
            continue
        if new.interim and not old.interim:
            return "an interim release, and the one in use is LTS"
        if new.released is None or (today is not None and new.released > today):
            return "not released yet"
    return ""


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
