"""What a choice saw: a bounded list that people can read, the same for any order of the tags."""

from __future__ import annotations

from bot.updates.parts import Values

_KEPT = 20


class Seen:
    """Collects tags with what was found about them; keeps the highest candidates and a few others."""

    def __init__(self) -> None:
        self._candidates: list[tuple[tuple[Values, ...], str, str]] = []
        self._others: list[tuple[bool, str, str]] = []

    def candidate(self, tag: str, key: tuple[Values, ...], what: str) -> None:
        """Note a newer tag of the same scheme."""
        self._candidates.append((key, tag, what))
        if len(self._candidates) > 2 * _KEPT:
            self._candidates = sorted(self._candidates, reverse=True)[:_KEPT]

    def rejected(self, tag: str, why: str, *, near: bool) -> None:
        """Note a tag that cannot be chosen; those of the same scheme are kept before others."""
        self._others.append((not near, tag, why))
        if len(self._others) > 2 * _KEPT:
            self._others = sorted(self._others)[:_KEPT]

    def rows(self, taken: str | None) -> tuple[tuple[str, str], ...]:
        """Tag and finding: candidates from the highest, then the others by name."""
        rows = [
            (tag, f"{what}, taken" if tag == taken else what)
            for _, tag, what in sorted(self._candidates, reverse=True)[:_KEPT]
        ]
        return tuple(rows + [(tag, why) for _, tag, why in sorted(self._others)[:_KEPT]])
