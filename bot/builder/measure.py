"""Sizes counted by us: the bytes of each uncompressed layer tar, read from the engine as a stream.

Engines disagree about sizes (some count files, some blobs), so none is asked.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

from bot.builder.contents import LayerContents, read_layer
from bot.builder.packages import package_size
from bot.builder.packing import gzipped_size
from bot.builder.waste import largest, waste
from bot.errors import EngineError
from bot.model.evidence import Build, Layer
from bot.saved import SavedImage
from bot.saved.documents import described
from bot.saved.layer import Budget, Limits
from bot.saved.stream import CHUNK, GZIP, ZSTD, Stream, plain

_SMALL: Final = 4 * 1024**2
_KEPT: Final = 512 * 1024**2
_MAGIC: Final = slice(257, 262)  # of a tar's header
# What an engine holds its own disk bounds; but a path takes memory here, and none there.
_IN_ENGINE: Final = Limits(unpacked=2**63)
_NO_LAYERS: Final = ("VERSION", "repositories", "oci-layout")


def measure_stream(
    archive: Iterable[bytes],
    base: Mapping[str, int | None],
    scratch: Path,
    limits: Limits = _IN_ENGINE,
) -> Build:
    """Measure one image as `docker save` writes it, read once as it comes; memory stays flat.

    Both layouts are read: Docker's own (`ID/layer.tar`) and OCI's (`blobs/sha256/…`), the
    latter with layers that may be compressed. Which files are layers is known at the end.

    Args:
        archive: The archive, in pieces.
        base: Diff ids of the base image's layers, each with the bytes a registry stores for it,
            where known; only the other layers are packed to see what a push would store.
        scratch: Folder for layers until it is known which ones those are, at most 512 MiB; what
            does not fit is not packed, and has no pushed size.
        limits: How much is read: each path takes memory.

    Raises:
        EngineError: The archive is broken, too large, or a layer's compression is unknown.
    """
    pieces = iter(archive)
    with _room(scratch, limits) as room:
        files = _Files(room)
        with tarfile.open(fileobj=cast("IO[bytes]", Stream(pieces)), mode="r|", bufsize=CHUNK) as tar:
            for member in tar:
                files.take(member, tar)
        deque(pieces, maxlen=0)  # to its end, or the engine's connection stays open
        found = described(files.documents.__getitem__, None)
        return _build(found.config, [files.blob(name) for name in found.layers], base)


def measure_saved(image: SavedImage, scratch: Path) -> Build:
    """Measure the image of an archive; none of its layers is known to be of a base.

    Args:
        image: The image.
        scratch: Folder for layers, as in `measure_stream`.

    Raises:
        EngineError: The archive is broken, too large, or a layer's compression is unknown.
    """
    with _room(scratch, Limits()) as room:
        blobs = []
        for layer in image.layers:
            with layer.open() as file:
                blobs.append(_blob(layer.name, layer.size, file, room))
        return _build(image.config, blobs, {})


@contextmanager
def _room(scratch: Path, limits: Limits) -> Iterator[_Room]:
    """Room to read one image; what cannot be read is an `EngineError`."""
    room = _Room(scratch, Budget(limits))
    try:
        yield room
    except (tarfile.TarError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the image was saved in a way that cannot be read: {error}") from error
    finally:
        room.close()


@dataclass(slots=True)
class _Room:
    """How much may be read, and files to keep layers in until it is known which of them are to be packed."""

    scratch: Path
    budget: Budget
    kept: list[IO[bytes]] = field(default_factory=list)
    left: int = _KEPT

    def file(self, size: int) -> IO[bytes] | None:
        """One for a layer of so many bytes; None where there is no room left."""
        if size > self.left:
            return None
        self.left -= size
        file = cast("IO[bytes]", tempfile.TemporaryFile(dir=self.scratch))  # noqa: SIM115 - `close` does
        self.kept.append(file)
        return file

    def close(self) -> None:
        """Give back what was kept."""
        for file in self.kept:
            file.close()


@dataclass(slots=True)
class _Blob:
    """A layer as it was met: unpacked size, size as pushed where that is known, and where it is kept."""

    size: int
    contents: LayerContents
    pushed: int | None
    kept: IO[bytes] | None

    def pushed_size(self) -> int | None:
        """Pack it, once."""
        if self.pushed is None and self.kept is not None:
            self.pushed = gzipped_size(self.kept, self.size)
        return self.pushed


@dataclass(slots=True)
class _Files:
    """The files of a saved image as they are met: layers, links among them, small JSON documents."""

    room: _Room
    blobs: dict[str, _Blob] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

    def take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        """Take a member of the tar: a document, or a layer."""
        if member.issym() or member.islnk():
            # Docker stores a layer that occurs twice once, and links to it: `../ID/layer.tar`.
            self.links[member.name] = member.linkname.removeprefix("../")
        file = tar.extractfile(member) if member.isreg() else None
        if file is None:
            return
        head = file.read(CHUNK)
        if _is_document(head):
            if member.size <= _SMALL:  # a larger one tells about an image: an SBOM that is attached to it
                self.documents[member.name] = head + file.read()
        elif head and member.name.rpartition("/")[2] not in _NO_LAYERS:
            self.blobs[member.name] = _blob(member.name, member.size, file, self.room, head=head)

    def blob(self, name: str) -> _Blob:
        """A layer by the name that the documents give it."""
        return self.blobs[self.links.get(name, name)]


def _is_document(head: bytes) -> bool:
    """True of JSON; a tar begins with the name of a file, which may be `[id].js`."""
    return head[:1] in (b"{", b"[") and head[_MAGIC] != b"ustar"


def _blob(name: str, size: int, file: IO[bytes], room: _Room, *, head: bytes = b"") -> _Blob:
    head = head or file.read(CHUNK)
    packed = head.startswith((GZIP, ZSTD))
    kept = None if packed else room.file(size)
    tee = _Tee(plain(name, file, head), kept)
    contents = read_layer(iter(tee), room.budget)
    return _Blob(tee.size, contents, size if packed else None, kept)


def _build(config: bytes, blobs: Sequence[_Blob], base: Mapping[str, int | None]) -> Build:
    """What is in the image; raises KeyError, ValueError and the like where something is missing."""
    document = json.loads(config)
    diff_ids = document["rootfs"]["diff_ids"]
    if len(blobs) != len(diff_ids):
        raise ValueError(f"{len(blobs)} layers, but {len(diff_ids)} diff ids")
    instructions = layer_instructions(document.get("history") or (), len(diff_ids))
    rows = zip(diff_ids, blobs, instructions, strict=True)
    layers = tuple(_layer(diff_id, blob, text, base) for diff_id, blob, text in rows)
    trees = [blob.contents for blob in blobs]
    own = {path: size for layer in layers if not layer.base for path, size in layer.files.items()}
    return Build(
        image="sha256:" + hashlib.sha256(config).hexdigest(),
        seconds=0.0,
        steps=(),
        size=sum(layer.size for layer in layers),
        layers=layers,
        pushed_size=_sum([len(config), *(one.pushed_size for one in layers)]),
        waste=waste(trees),
        package_size=package_size(trees),
        largest=largest(own),
    )


class _Tee:
    """Chunks passed on, counted, and kept in a file where there is one."""

    def __init__(self, source: Iterator[bytes], kept: IO[bytes] | None) -> None:
        self._source, self._kept, self.size = source, kept, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._source:
            self.size += len(chunk)
            if self._kept is not None:
                self._kept.write(chunk)
            yield chunk


def _layer(diff_id: str, blob: _Blob, instruction: str, base: Mapping[str, int | None]) -> Layer:
    pushed = base.get(diff_id)
    return Layer(
        diff_id=diff_id,
        size=blob.size,
        instruction=instruction,
        base=diff_id in base,
        pushed_size=blob.pushed_size() if pushed is None else pushed,
        files=blob.contents.files,
    )


def layer_instructions(history: Sequence[Mapping[str, Any]], layers: int) -> list[str]:
    """The instruction behind each layer, from the bottom; empty texts where the history does not fit."""
    made = [str(entry.get("created_by", "")) for entry in history if not entry.get("empty_layer")]
    return made if len(made) == layers else [""] * layers


def _sum(sizes: Sequence[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
