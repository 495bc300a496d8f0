"""What is in one layer: its files with their bytes, what it removes, and the lists that packages keep.

Whiteouts as in the OCI image layer specification: `.wh.NAME` removes NAME of the layers below,
`.wh..wh..opq` removes all that the layers below have in its folder.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final, cast

from bot.builder.stream import CHUNK, Stream

_REMOVED: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
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


def read_layer(layer: Iterator[bytes]) -> LayerContents:
    """Read a layer's uncompressed tar to its very end.

    Raises:
        tarfile.TarError: It is no tar.
    """
    found, stream = LayerContents(), Stream(layer)
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=CHUNK) as tar:
        for member in tar:
            _take(found, member, tar)
    while stream.read(CHUNK):
        pass
    return found


def _take(found: LayerContents, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
    path = member.name.removeprefix("./").strip("/")
    folder, _, name = path.rpartition("/")
    if name == _OPAQUE:
        found.emptied.append(folder)
    elif name.startswith(_REMOVED):
        found.removed.append(f"{folder}/{name.removeprefix(_REMOVED)}".lstrip("/"))
    elif member.isdir():
        found.folders.add(path)
    else:
        found.files[path] = member.size if member.isreg() else 0
        if member.isreg() and member.size <= _LIST_BYTES and _LISTS.fullmatch(path):
            file = tar.extractfile(member)
            found.lists[path] = file.read() if file else b""


def apply_layer(live: dict[str, int], layer: LayerContents) -> None:
    """Lay a layer over the files that are live below it."""
    gone = frozenset(layer.removed) | frozenset(layer.files)
    emptied = frozenset(layer.emptied)
    if gone or emptied:
        for path in [path for path in live if path in gone or is_below(path, gone | emptied)]:
            del live[path]
    live |= layer.files


def is_below(path: str, folders: frozenset[str]) -> str:
    """The outermost of these folders that a path lies in; empty where it lies in none."""
    if not folders:
        return ""
    at = path.find("/")
    while at >= 0:
        if path[:at] in folders:
            return path[:at]
        at = path.find("/", at + 1)
    return "/" if "" in folders else ""
