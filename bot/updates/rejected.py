"""Why tags were no candidates, counted by reason."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Final

_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why some tags were no candidates: the reason, how many tags, and a few of them by name."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class Rejections:
    """Counts tags by the reason they were rejected for; memory grows with the reasons, not with the tags."""

    _counts: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, tag: str, reason: str) -> None:
        """Count a tag; the examples kept are the first by name, whatever the order."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        kept = self._examples.setdefault(reason, [])
        if len(kept) < _EXAMPLES or tag < kept[-1]:
            kept[:] = heapq.nsmallest(_EXAMPLES, {*kept, tag})

    def rows(self) -> tuple[Rejected, ...]:
        """All reasons, the most common first."""
        rows = [Rejected(why, count, tuple(self._examples[why])) for why, count in self._counts.items()]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.reason)))
