"""One layer: what it brings, and what it takes away from the layers below.

Whiteouts as in the OCI image layer specification: `.wh.NAME` removes NAME of the layers below,
`.wh..wh..opq` removes all that the layers below have in its folder.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final, cast

from bot.errors import EngineError
from bot.saved.headers import Header
from bot.saved.stream import CHUNK, Stream

_REMOVED: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
# Attributes that hold for all files after them; git archives have one.
_GLOBALS: Final = 256
# What the library raises of malformed headers beside its own error.
_MALFORMED: Final = (ValueError, IndexError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read of one image: bytes of all its layers unpacked, and paths in them."""

    unpacked: int = 32 * 1024**3
    entries: int = 2_000_000


@dataclass(slots=True)
class Budget:
    """What may still be read of one image: a tar bomb ends in an error."""

    limits: Limits
    unpacked: int = 0
    entries: int = 0

    def count(self) -> None:
        """One more path."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise EngineError(f"an image of more than {self.limits.entries:,} files is not read")

    def metered(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A layer's bytes, up to what may be read of the whole image."""
        for chunk in chunks:
            self.unpacked += len(chunk)
            if self.unpacked > self.limits.unpacked:
                raise EngineError(f"its layers unpack to more than {self.limits.unpacked:,} bytes: not read")
            yield chunk


@dataclass(frozen=True, slots=True)
class Found:
    """A path that a layer brings: without a leading `/`, and leading nowhere."""

    path: str
    member: tarfile.TarInfo
    tar: tarfile.TarFile

    def open(self) -> IO[bytes] | None:
        """Its bytes, which are gone once the next path is read; None for what is no file."""
        return self.tar.extractfile(self.member) if self.member.isreg() else None


@dataclass(frozen=True, slots=True)
class Removed:
    """A path of the layers below that is gone, and what was below it."""

    path: str


@dataclass(frozen=True, slots=True)
class Emptied:
    """A folder whose contents of the layers below are gone."""

    folder: str


def walk(layer: Iterator[bytes], budget: Budget | None = None) -> Iterator[Found | Removed | Emptied]:
    """Read a layer's uncompressed tar to its very end.

    Raises:
        tarfile.TarError: It is no tar.
        EngineError: It has more than the budget allows.
    """
    stream = Stream(budget.metered(layer) if budget else layer)
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=CHUNK, tarinfo=Header) as tar:
        while (member := _next(tar)) is not None:
            if budget is not None:
                budget.count()
            yield _step(member, tar)
    while stream.read(CHUNK):
        pass


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    """The next header; the library would keep all that were read, and what holds for all that follow."""
    try:
        member = tar.next()
    except _MALFORMED as error:
        raise tarfile.ReadError(f"a header is malformed: {error}") from error
    tar.members = []  # type: ignore[attr-defined]  # no stub knows it
    if len(tar.pax_headers) > _GLOBALS:
        raise tarfile.ReadError(f"it sets more than {_GLOBALS} attributes for all of its files")
    return member


def _step(member: tarfile.TarInfo, tar: tarfile.TarFile) -> Found | Removed | Emptied:
    path = _clean(member.name)
    folder, _, name = path.rpartition("/")
    if name == _OPAQUE:
        return Emptied(folder)
    if name.startswith(_REMOVED):
        return Removed(f"{folder}/{name.removeprefix(_REMOVED)}".lstrip("/"))
    return Found(path, member, tar)


def taken_away(
    live: Iterable[str], removed: Iterable[str], emptied: Iterable[str], files: Iterable[str]
) -> list[str]:
    """Which of the paths that are live below a layer it takes away.

    Args:
        live: Paths of the layers below.
        removed: What it removes.
        emptied: Folders that it empties.
        files: What it brings that is no folder: what was below such a path is gone.
    """
    gone = frozenset(removed)
    folders = gone.union(emptied, files)
    return [path for path in live if path in gone or is_below(path, folders)] if folders else []


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


def _clean(name: str) -> str:
    """A path inside the image, whatever the tar says: `../` leads nowhere."""
    return "/".join(part for part in name.split("/") if part not in {"", ".", ".."})
