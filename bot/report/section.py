"""A folded section of a pull request, and how much fits into a body and a title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LIMIT: Final = 65_536  # of a body, GitHub's, in characters
LEFT_OUT: Final = "more, cut to fit GitHub's 65,536 characters."


_TITLE: Final = 240  # GitHub takes 256; the forge may write "[blocked]" before it


def titled(*lines: str) -> str:
    """The first line that is short enough for a title, else the last one, cut."""
    short = next((line for line in lines if len(line) <= _TITLE), None)
    return short or f"{lines[-1][: _TITLE - 1].rstrip()}…"


def fitting(text: str, note: str, foot: str) -> str:
    """The first paragraphs of a body that fit above its foot, and a note that some were left out."""
    rest = f"\n\n{note}\n\n{foot}"
    kept = text[: LIMIT - len(rest)]
    return kept[: kept.rfind("\n\n")] + rest


@dataclass(frozen=True, slots=True)
class Section:
    """A folded section: what it says closed, then lines of which the last may be cut.

    Attributes:
        summary: The line that is always seen; our own words and numbers only.
        items: List items or table rows, the weightiest first.
        head: What stands above the items: a sentence, a table's head.
        foot: What stands below them.
    """

    summary: str
    items: tuple[str, ...] = ()
    head: str = ""
    foot: str = ""

    def markdown(self, cap: int, *, more: str = LEFT_OUT) -> str:
        """The section with at most `cap` items; how many are left out is said."""
        shown = self.items[:cap]
        left_out = len(self.items) - len(shown)
        listed = "\n".join([self.head, *shown] if self.head.startswith("|") else shown)
        parts = ["" if self.head.startswith("|") else self.head, listed, self.foot]
        if left_out:
            parts.append(f"… and {left_out} {more}")
        inside = "\n\n".join(part for part in parts if part)
        return f"<details><summary>{self.summary}</summary>\n\n{inside}\n\n</details>"
