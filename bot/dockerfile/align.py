"""Divide a new text over the parts that held the old one: `1.27-alpine3.20` over two ARGs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text and its span in the file; -1 where it stands outside."""

    text: str
    start: int
    end: int

    @property
    def editable(self) -> bool:
        """True where the file itself holds this text."""
        return self.start >= 0


def aligned(parts: Sequence[Part], new: str) -> list[str] | None:
    """Return the new text of each part, or None where there is no one way to divide it.

    Parts that can stay as they are at both ends stay; if more than one is left, the parts without a
    digit and those outside the file are taken as fixed, and what lies between them must be unambiguous.
    """
    first, last = 0, len(parts)
    while last - first > 1 and new.startswith(parts[first].text):
        new = new[len(parts[first].text) :]
        first += 1
    while last - first > 1 and new.endswith(parts[last - 1].text):
        new = new[: len(new) - len(parts[last - 1].text)]
        last -= 1
    middle = [new] if last - first == 1 else _divided(parts[first:last], new)
    if middle is None:
        return None
    return [*(part.text for part in parts[:first]), *middle, *(part.text for part in parts[last:])]


def _divided(parts: Sequence[Part], new: str) -> list[str] | None:
    lazy = re.fullmatch("".join(_expression(part, "(.+?)") for part in parts), new)
    greedy = re.fullmatch("".join(_expression(part, "(.+)") for part in parts), new)
    if lazy is None or greedy is None or lazy.groups() != greedy.groups():
        return None
    return list(lazy.groups())


def _expression(part: Part, free: str) -> str:
    fixed = not part.editable or not any(char.isdigit() for char in part.text)
    return f"({re.escape(part.text)})" if fixed else free
