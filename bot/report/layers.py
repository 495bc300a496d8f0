"""Layers of two images side by side, as rows of a Markdown table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from bot.model.evidence import Layer
from bot.report import wording
from bot.report.quote import code

_INSTRUCTION: Final = 60


def head(before: str = "Before", after: str = "After") -> str:
    """What stands above the rows."""
    return f"| Layer | {before} | {after} |\n|:--|--:|--:|"


def layer_rows(before: Sequence[Layer], after: Sequence[Layer], *, one_target: bool = True) -> Iterator[str]:
    """Layers from the bottom, matched by the instruction that made them.

    Args:
        before: Of the one image.
        after: Of the other.
        one_target: Both are one target, so that instructions that differ stand for each other: a base
            that came by another digest. Else such layers have rows of their own.
    """
    names = [layer.instruction for layer in before], [layer.instruction for layer in after]
    for _, start, end, other, last in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        old, new = before[start:end], after[other:last]
        if not one_target and before[start:end] and names[0][start:end] != names[1][other:last]:
            yield from (_row(layer, None) for layer in old)
            old = []
        for index in range(max(len(old), len(new))):
            pair = old[index] if index < len(old) else None, new[index] if index < len(new) else None
            yield _row(*pair)


def _row(old: Layer | None, new: Layer | None) -> str:
    layer = new or old
    name = code(wording.instruction(layer.instruction if layer else ""), limit=_INSTRUCTION)
    size = [wording.megabytes(one.size if one else None) for one in (old, new)]
    return f"| {name} | {size[0]} | {size[1]} |"
