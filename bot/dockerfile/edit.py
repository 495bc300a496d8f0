"""Write another reference into a file by replacing the fewest bytes.

The segments of a use say where its bytes stand, so a tag held by one `ARG` and a digest held by
another are each changed where they are. Everything else keeps its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot.dockerfile.align import Part, aligned
from bot.errors import EditError
from bot.model.reference import Reference
from bot.model.use import Segment, Use

_HINT: Final = "Change this line by hand, or give the image a reference that stands in one piece."
_ARG_NAME: Final = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=[\"']?\Z")
_LONGEST_NAME: Final = 200

Spans = AbstractSet[tuple[int, int]]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The bytes from `start` to `end` of a file give way to `new`."""

    start: int
    end: int
    new: bytes


def apply(data: bytes, use: Use, to: Reference) -> bytes:
    """Return the file with this use naming `to`.

    Args:
        data: The file's bytes, as the use was read from.
        use: The use, not skipped.
        to: The new reference, in the spelling of the old one.

    Raises:
        EditError: The change cannot be made by editing the bytes of this use.
    """
    return apply_all(data, [(use, to)])


def apply_all(data: bytes, changes: Sequence[tuple[Use, Reference]]) -> bytes:
    """Return the file with several uses changed; an `ARG` that they share is changed once.

    Raises:
        EditError: A change cannot be made, or two of them want different text at the same place.
    """
    edits = sorted({edit for use, to in changes for edit in edits_of(data, use, to)})
    for one, following in pairwise(edits):
        if following.start < one.end or (following.start, following.end) == (one.start, one.end):
            raise EditError(_conflict(data, changes, one), hint=_HINT)
    return _written(data, edits)


def edits_of(data: bytes, use: Use, to: Reference, *, shared: Spans = frozenset()) -> tuple[Edit, ...]:
    """Return the edits that make this use name `to`; none where it already does.

    Args:
        data: The file's bytes.
        use: The use, not skipped.
        to: The new reference.
        shared: Bytes that are known to serve other uses too; for others the file is searched.

    Raises:
        EditError: They cannot be found.
    """
    if use.reference is None:
        raise EditError(f"{use.file}:{use.line}: a skipped use is not edited: {use.skipped}")
    changes = _changes(use.text, use.reference, to)
    edits = {edit for change in changes for edit in _placed(data, use, *change, shared=shared)}
    if would_read(use, edits) != str(to):
        raise EditError(f"{use.file}:{use.line}: {use.text!r} cannot become {str(to)!r} here", hint=_HINT)
    return tuple(sorted(edits))


def _changes(text: str, old: Reference, to: Reference) -> list[tuple[int, int, str]]:
    """The ranges of the text that change, and what they become: name, tag, digest."""
    name = len(old.name)
    tag = name + len(f":{old.tag}" if old.tag else "")
    found = [(0, name, to.name)] if old.name != to.name else []
    if old.tag is None and old.digest is None:
        new = str(to)[len(to.name) :]
        return [*found, (name, name, new)] if new else found
    if old.tag != to.tag:
        found.append(_optional(name, tag, ":", old.tag, to.tag))
    if old.digest != to.digest:
        found.append(_optional(tag, len(text), "@", old.digest, to.digest))
    return found


def _optional(start: int, end: int, mark: str, old: str | None, new: str | None) -> tuple[int, int, str]:
    if old and new:
        return start + 1, end, new
    return start, end, f"{mark}{new}" if new else ""


def _placed(  # noqa: PLR0913 - where, and what
    data: bytes, use: Use, start: int, end: int, new: str, *, shared: Spans
) -> list[Edit]:
    if start == end:
        at = _insertion(data, use.segments, start, shared=shared)
        if at is None:
            raise EditError(f"{use.file}:{use.line}: there is no place for {new!r}", hint=_HINT)
        return [Edit(at, at, new.encode())]
    parts = _parts(use.segments, start, end)
    texts = aligned(parts, new)
    if texts is None:
        held = " + ".join(repr(part.text) for part in parts)
        raise EditError(f"{use.file}:{use.line}: {new!r} cannot be divided over {held}", hint=_HINT)
    changed = [(part, text) for part, text in zip(parts, texts, strict=True) if part.text != text]
    if any(not part.editable for part, _ in changed):
        raise EditError(f"{use.file}:{use.line}: part of {use.text!r} stands outside the file", hint=_HINT)
    return [Edit(part.start, part.end, text.encode()) for part, text in changed]


def _parts(segments: Iterable[Segment], start: int, end: int) -> list[Part]:
    """The parts of the segments that hold the text from `start` to `end`."""
    found, at = [], 0
    for segment in segments:
        first, last = max(start - at, 0), min(end - at, len(segment.text))
        if first < last:
            text = segment.text[first:last]
            offset = segment.start + first if segment.editable else -1
            found.append(Part(text, offset, offset + len(text) if segment.editable else -1))
        at += len(segment.text)
    return found


def _insertion(data: bytes, segments: Sequence[Segment], at: int, *, shared: Spans) -> int | None:
    """The offset in the file at which text is put in after the first `at` characters.

    After the segment that ends there, if it holds (part of) the name too or if nothing but this
    reference uses its variable; else in the instruction, right after the variable.
    """
    holder, anchors, pos = None, list[int](), 0
    for number, segment in enumerate(segments):
        pos += len(segment.text)
        if segment.text and pos - len(segment.text) < at <= pos:
            inside = segment.end - (pos - at)
            alone = number == 0 or not ((segment.start, segment.end) in shared or _shared(data, segment))
            holder = inside if segment.editable and alone else None
        elif pos == at and segment.editable:
            anchors.append(segment.start)
    return holder if holder is not None else next(iter(anchors), None)


def _shared(data: bytes, segment: Segment) -> bool:
    """Tell whether a segment is the whole default of an ARG that is also used elsewhere."""
    found = _ARG_NAME.search(data[max(0, segment.start - _LONGEST_NAME) : segment.start])
    if found is None:
        return False
    mentions = re.finditer(rb"\b" + found[1] + rb"\b", data)
    return sum(1 for _ in zip(range(3), mentions, strict=False)) > 2


def would_read(use: Use, edits: Iterable[Edit]) -> str:
    """Return the text of the use with every one of its segments as edited, also where one stands twice."""
    texts = []
    for segment in use.segments:
        inside = [e for e in edits if segment.editable and segment.start <= e.start and e.end <= segment.end]
        moved = [Edit(e.start - segment.start, e.end - segment.start, e.new) for e in sorted(inside)]
        texts.append(_written(segment.text.encode(), moved).decode())
    return "".join(texts)


def _written(data: bytes, edits: Iterable[Edit]) -> bytes:
    parts, at = list[bytes](), 0
    for edit in edits:
        parts += [data[at : edit.start], edit.new]
        at = edit.end
    return b"".join([*parts, data[at:]])


def _conflict(data: bytes, changes: Sequence[tuple[Use, Reference]], edit: Edit) -> str:
    line = data.count(b"\n", 0, edit.start) + 1
    wanted = ", ".join(sorted({str(to) for _, to in changes}))
    return f"{changes[0][0].file}:{line}: one place would have to suit different references: {wanted}"
