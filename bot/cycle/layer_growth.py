"""Where an image grew: layers before and after side by side, and the paths that make a layer larger. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import zip_longest
from operator import itemgetter
from typing import Final

from bot.model.evidence import Build, Layer, PathSize

_SHOWN: Final = 10
LARGEST: Final = 50
"""Files whose sizes are kept with a build."""


def with_growth(before: Build, after: Build) -> Build:
    """The new build, each layer that is larger than its partner before with the paths that grew most."""
    layers = tuple(_grown(old, new) for old, new in paired(before.layers, after.layers) if new is not None)
    return replace(after, layers=layers)


def without_files(build: Build) -> Build:
    """The build as it is kept: nobody asks for every file again, only for the largest of its own."""
    layers = tuple(replace(layer, files={}) for layer in build.layers)
    return replace(build, layers=layers, largest=_largest(build.layers))


def paired(before: Sequence[Layer], after: Sequence[Layer]) -> Iterator[tuple[Layer | None, Layer | None]]:
    """Layers side by side, matched by the instruction that made them; what fits nothing stands alone.

    Layers with other instructions at the same place are partners: a base image's own instruction
    names the digest of its root file system.
    """
    names = [layer.instruction for layer in before], [layer.instruction for layer in after]
    for _, start, end, other, last in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        yield from zip_longest(before[start:end], after[other:last])


def _largest(layers: Sequence[Layer]) -> tuple[PathSize, ...]:
    """The largest files that the Dockerfile's own layers hold, as the uppermost layer has them."""
    files: dict[str, int] = {}
    for layer in layers:
        if not layer.base:
            files |= layer.files
    return tuple(PathSize(path, size) for path, size in nlargest(LARGEST, files.items(), key=itemgetter(1)))


def _grown(old: Layer | None, new: Layer) -> Layer:
    if old is None or new.size <= old.size:
        return new
    growth = {path: size - old.files.get(path, 0) for path, size in new.files.items()}
    most = sorted(((-size, path) for path, size in growth.items() if size > 0))[:_SHOWN]
    return replace(new, grown=tuple(PathSize(path, -size) for size, path in most))
