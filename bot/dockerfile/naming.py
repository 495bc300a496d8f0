"""Make a use of a word that names an image, or say why it is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.dockerfile.comments import Pairs
from bot.dockerfile.values import Expanded
from bot.model.reference import Reference
from bot.model.use import Segment, Use, UseKind

SCRATCH: Final = "scratch is the empty image; no registry holds it"
A_STAGE: Final = "a stage of this file, not an image"
NO_STAGE: Final = "there is no stage with this index"
NO_INDEX: Final = "a mount names no stage by its index"
MAX_SHOWN: Final = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where a use stands, apart from its text.

    Attributes:
        file: Path in the project.
        line: 1-based line of the instruction.
        kind: How the image is named.
        stage: The stage's name or index, or None outside stages.
        platform: As resolved, or None.
        pragmas: What comments say to Refit.
    """

    file: str
    line: int
    kind: UseKind
    stage: str | None = None
    platform: str | None = None
    pragmas: Pairs = ()


def skipped(place: Place, text: str, reason: str, segments: tuple[Segment, ...] = ()) -> Use:
    """A use that is left alone."""
    shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    kept = segments if shown == text else ()
    return Use(
        file=place.file,
        line=place.line,
        kind=place.kind,
        stage=place.stage,
        text=shown,
        reference=None,
        platform=place.platform,
        skipped=reason,
        segments=kept,
        ignore=place.pragmas,
    )


def named(place: Place, word: Expanded) -> Use:
    """A use of an image, from the word that names it."""
    reason = _reason(word)
    if reason is None:
        try:
            reference = _parsed(word.text)
        except ValueError as error:
            return skipped(place, word.text, _unset(word) or str(error), word.segments)
        reason = _fixed(word, reference)
        if reason is None:
            return _at_edit(place, word, reference)
    return skipped(place, word.text, reason, word.segments)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Reference:
    return Reference.parse(text)


def _at_edit(place: Place, word: Expanded, reference: Reference) -> Use:
    tail = _tail(word.segments, len(reference.name))
    pairs = tuple(pair for value in word.used.values() for pair in value.pragmas)
    ignore = tuple(dict.fromkeys(place.pragmas + pairs))
    return Use(
        file=place.file,
        line=tail[0].line,
        kind=place.kind,
        stage=place.stage,
        text=word.text,
        reference=reference,
        platform=place.platform,
        segments=word.segments,
        ignore=ignore,
    )


def _reason(word: Expanded) -> str | None:
    by_platform = [name for name, value in word.used.items() if value.by_platform]
    if by_platform:
        return f"another image for each platform ({', '.join(sorted(by_platform))}): no one digest is right"
    if word.text == "scratch":
        return SCRATCH
    if not word.text:
        return _unset(word) or "the name is empty"
    return None


def _unset(word: Expanded) -> str:
    if not word.unset:
        return ""
    names = ", ".join(dict.fromkeys(word.unset))
    return f"{names} is not set: no ARG before the first FROM gives a default, and no build argument a value"


def _fixed(word: Expanded, reference: Reference) -> str | None:
    """Say why the part of the text that an update changes cannot be edited, if so."""
    if all(segment.editable for segment in _tail(word.segments, len(reference.name))):
        return None
    origins = sorted({value.origin for value in word.used.values() if value.origin})
    where = " and ".join(origins) or "a substitution that makes new text"
    return f"what an update would change comes from {where}, not from this file"


def _tail(segments: tuple[Segment, ...], name: int) -> tuple[Segment, ...]:
    """The segments that hold the tag and the digest; the last one where there is neither."""
    at, found = 0, list[Segment]()
    for segment in segments:
        if segment.text[max(0, name - at) :].lstrip(":@"):
            found.append(segment)
        at += len(segment.text)
    solid = [segment for segment in segments if segment.text]
    return tuple(found) or tuple(solid[-1:])
