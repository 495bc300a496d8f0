"""Make a use of a word that names an image, or say why it is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.dockerfile.comments import Pairs
from bot.dockerfile.values import Expanded
from bot.model.reference import Reference
from bot.model.use import Segment, Use, UseKind

SCRATCH_NAME: Final = "scratch"
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


def whole(place: Place, text: str, start: int, reason: str | None = None) -> Use:
    """A use whose text stands in one piece, with nothing put in; `reason` says why it is left alone."""
    reference = None
    if reason is None and text == SCRATCH_NAME:
        reason = SCRATCH
    if reason is None:
        try:
            reference = _parsed(text)
        except ValueError as error:
            reason = str(error)
    if len(text) > MAX_SHOWN and reason is not None:
        return skipped(place, text, reason)
    segments = (Segment(text, start, start + len(text), place.line),)
    # By position: a file of 10,000 images makes this call the most expensive one.
    return Use(
        place.file,
        place.line,
        place.kind,
        place.stage,
        text,
        reference,
        place.platform,
        reason,
        segments,
        place.pragmas,
    )


def named(place: Place, word: Expanded) -> Use:
    """A use of an image, from the word that names it."""
    text = word.text
    if not word.used and not word.unset and len(word.segments) == 1 and word.segments[0].line == place.line:
        return whole(place, text, word.segments[0].start)
    reason = _reason(word, text)
    if reason is None:
        try:
            reference = _parsed(text)
        except ValueError as error:
            return skipped(place, text, _unset(word) or str(error), word.segments)
        tail = _tail(word.segments, len(reference.name))
        reason = _fixed(word, tail)
        if reason is None:
            return _at_edit(place, word, reference, tail)
    return skipped(place, text, reason, word.segments)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Reference:
    return Reference.parse(text)


def _at_edit(place: Place, word: Expanded, reference: Reference, tail: tuple[Segment, ...]) -> Use:
    pairs = [pair for value in word.used.values() for pair in value.pragmas]
    ignore = tuple(dict.fromkeys((*place.pragmas, *pairs))) if pairs else place.pragmas
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


def _reason(word: Expanded, text: str) -> str | None:
    by_platform = [name for name, value in word.used.items() if value.by_platform]
    if by_platform:
        return f"another image for each platform ({', '.join(sorted(by_platform))}): no one digest is right"
    if text == SCRATCH_NAME:
        return SCRATCH
    if not text:
        return _unset(word) or "the name is empty"
    return None


def _unset(word: Expanded) -> str:
    if not word.unset:
        return ""
    names = ", ".join(dict.fromkeys(word.unset))
    return f"{names} is not set: no ARG before the first FROM gives a default, and no build argument a value"


def _fixed(word: Expanded, tail: tuple[Segment, ...]) -> str | None:
    """Say why the part of the text that an update changes cannot be edited, if so."""
    if all(segment.editable for segment in tail):
        return None
    origins = sorted({value.origin for value in word.used.values() if value.origin})
    where = " and ".join(origins) or "a substitution that makes new text"
    return f"what an update would change comes from {where}, not from this file"


def _tail(segments: tuple[Segment, ...], name: int) -> tuple[Segment, ...]:
    """The segments that hold the tag and the digest; the last one where there is neither."""
    at, found, last = 0, list[Segment](), segments[-1:]
    for segment in segments:
        text = segment.text
        if text:
            last = (segment,)
            if at + len(text) > name and text[max(0, name - at) :].lstrip(":@"):
                found.append(segment)
            at += len(text)
    return tuple(found) or last
