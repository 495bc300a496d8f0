"""Telling a choice in words: what was taken, and why the others were not."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.updates.tags import Choice

_EXAMPLES: Final = 3
_RANKED: Final = 5


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


def explain(current: str, choice: Choice) -> Iterator[str]:
    """Yield the lines of `refit check --explain`: the choice, each candidate, the rest by reason."""
    if choice.tag is None:
        yield f"{current} stays: none of {choice.total} tags is a newer one that the rule allows"
    else:
        yield f"{current} → {choice.tag} ({choice.kind}), chosen from {choice.total} tags"
    for one in choice.beyond:
        yield f"  {one.tag}: not taken, a {one.kind} update goes further than the rule allows"
    for one in choice.ranked[:_RANKED]:
        verdict = "taken" if one.tag == choice.tag else "not taken, there is a better one"
        yield f"  {one.tag}: {verdict} ({one.kind})"
    if len(choice.ranked) > _RANKED:
        yield f"  {len(choice.ranked) - _RANKED} or more not taken, there are better ones"
    for row in choice.rejected:
        more = ", …" if row.count > len(row.examples) else ""
        yield f"  {row.count} not taken, {row.reason}: {', '.join(row.examples)}{more}"
