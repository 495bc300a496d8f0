"""What is in one layer: its files with their bytes, what it removes, and the lists that packages keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bot.saved.layer import Budget, Emptied, Found, Removed, taken_away, walk

_LIST_BYTES: Final = 16 * 1024**2
# Who owns which file: dpkg's lists, those of distroless images, and apk's database.
_LISTS: Final = re.compile(
    r"var/lib/dpkg/info/[^/]+\.list|var/lib/dpkg/status\.d/[^/]+\.md5sums|(usr/)?lib/apk/db/installed"
)


@dataclass(slots=True)
class LayerContents:
    """One layer's tree.

    Attributes:
        files: Bytes of everything that is no folder; 0 for links and devices.
        folders: Paths of folders.
        removed: Paths of the layers below that are gone.
        emptied: Folders whose contents of the layers below are gone.
        lists: Lists of files that packages own, by path.
    """

    files: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    lists: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self.files.values())


def read_layer(layer: Iterator[bytes], budget: Budget | None = None) -> LayerContents:
    """Read a layer's uncompressed tar to its very end.

    Raises:
        tarfile.TarError: It is no tar.
        EngineError: It has more than the budget allows.
    """
    contents = LayerContents()
    for step in walk(layer, budget):
        match step:
            case Emptied():
                contents.emptied.append(step.folder)
            case Removed():
                contents.removed.append(step.path)
            case Found():
                _take(contents, step)
    return contents


def _take(contents: LayerContents, found: Found) -> None:
    member, path = found.member, found.path
    if member.isdir():
        contents.folders.add(path)
        return
    contents.files[path] = member.size if member.isreg() else 0
    if member.isreg() and member.size <= _LIST_BYTES and _LISTS.fullmatch(path):
        file = found.open()
        contents.lists[path] = file.read() if file else b""


def apply_layer(live: dict[str, int], layer: LayerContents) -> None:
    """Lay a layer over the files that are live below it."""
    for path in taken_away(live, layer.removed, layer.emptied, layer.files):
        del live[path]
    live |= layer.files
