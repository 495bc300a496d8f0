"""Waste as dive defines it. Pure.

Its source: wagoodman/dive, `dive/filetree/efficiency.go` and `dive/image/analysis.go`.
For each path that is a leaf in some layer: the smallest size it had, and the sum of its sizes. A
whiteout counts as one more time the path is there: with the bytes it hides where it removes a folder,
with 0 where it removes a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.builder.contents import LayerContents, apply_layer
from bot.model.evidence import PathSize, Waste
from bot.saved.layer import is_below

_SHOWN: Final = 10


@dataclass(slots=True)
class _Seen:
    """One path over all layers."""

    times: int = 0
    total: int = 0
    smallest: int = 0

    def add(self, size: int) -> None:
        self.smallest = size if self.times == 0 else min(size, self.smallest)
        self.total += size
        self.times += 1


def waste(layers: Sequence[LayerContents]) -> Waste:
    """The waste of an image, given its layers from the bottom."""
    seen: dict[str, _Seen] = {}
    live: dict[str, int] = {}
    for layer in layers:
        for path, size in _leaves(layer, live):
            seen.setdefault(path, _Seen()).add(size)
        apply_layer(live, layer)
    twice = {path: one.total for path, one in seen.items() if one.times > 1}
    total, wasted = sum(one.total for one in seen.values()), sum(twice.values())
    user = sum(layer.size for layer in layers[1:])
    return Waste(
        efficiency=sum(one.smallest for one in seen.values()) / total if total else 1.0,
        wasted=wasted,
        user_share=wasted / user if user else None,
        paths=largest(twice),
    )


def largest(sizes: Mapping[str, int]) -> tuple[PathSize, ...]:
    """The largest of some paths, at most ten."""
    found = sorted(((-size, path) for path, size in sizes.items() if size > 0))[:_SHOWN]
    return tuple(PathSize(path, -size) for size, path in found)


def _leaves(layer: LayerContents, live: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Files, empty folders, and whiteouts with the bytes that each one hides."""
    yield from layer.files.items()
    inner = {path.rpartition("/")[0] for path in (*layer.files, *layer.folders, *layer.removed)}
    yield from ((path, 0) for path in layer.folders if path not in inner)
    hidden = _hidden(layer.removed, live)
    yield from ((path, hidden[path]) for path in layer.removed)


def _hidden(removed: Sequence[str], live: dict[str, int]) -> Counter[str]:
    folders, found = frozenset(removed), Counter[str]()
    if folders:
        for path, size in live.items():
            found[is_below(path, folders)] += size
    return found
