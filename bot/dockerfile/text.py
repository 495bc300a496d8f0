"""Text that is not in one piece in its file: joined, and still knowing where each byte stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from bot.model.use import Segment

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes joined from pieces of a file, such as an instruction with its continued lines.

    A piece lies within one line.

    The three tuples are parallel, one entry a piece.

    Attributes:
        value: The joined bytes.
        starts: Offset in `value` at which each piece begins.
        offsets: Offset in the file of each piece's first byte; -1 for a piece that is not in the file.
        lines: 1-based line of each piece's first byte; 0 for a piece that is not in the file.
    """

    value: bytes
    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    lines: tuple[int, ...]

    @classmethod
    def whole(cls, value: bytes, offset: int = 0, line: int = 1) -> Text:
        """Text that stands in the file as it is."""
        return cls(value, (0,), (offset,), (line,))

    @classmethod
    def of_segments(cls, segments: tuple[Segment, ...]) -> Text:
        """The text that segments spell, each of them one piece."""
        starts, at, parts = [], 0, []
        for segment in segments:
            starts.append(at)
            parts.append(segment.text.encode())
            at += len(parts[-1])
        offsets, lines = tuple(s.start for s in segments), tuple(s.line for s in segments)
        return cls(b"".join(parts), tuple(starts), offsets, lines)

    def segments(self, start: int, end: int) -> tuple[Segment, ...]:
        """The bytes from `start` to `end` as segments, one a piece that they touch."""
        if len(self.starts) == 1:
            return (self._segment(0, start, end),)
        first = bisect_right(self.starts, start) - 1
        if first + 1 == len(self.starts) or end <= self.starts[first + 1]:
            return (self._segment(first, start, end),)
        found = []
        for piece in range(first, bisect_right(self.starts, end - 1)):
            last = self.starts[piece + 1] if piece + 1 < len(self.starts) else len(self.value)
            found.append(self._segment(piece, max(start, self.starts[piece]), min(end, last)))
        return tuple(found)

    def _segment(self, piece: int, start: int, end: int) -> Segment:
        text = self.value[start:end].decode(errors="replace")
        offset = self.offsets[piece]
        if offset == OUTSIDE:
            return Segment(text, OUTSIDE, OUTSIDE, 0)
        first = offset + start - self.starts[piece]
        return Segment(text, first, first + end - start, self.lines[piece])
