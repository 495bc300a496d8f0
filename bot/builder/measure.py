"""Sizes counted by us: the bytes of each uncompressed layer tar, read from the engine as a stream.

Engines disagree about sizes (some count files, some blobs), so none is asked.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final, cast

from bot.errors import EngineError
from bot.model.evidence import Layer

_CHUNK: Final = 1024**2
_SMALL: Final = 4 * 1024**2
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def measure_layers(archive: Iterable[bytes]) -> tuple[Layer, ...]:
    """Measure the layers of one image, given what `docker save` writes; memory stays flat.

    Both layouts are read: Docker's own (`ID/layer.tar`) and OCI's (`blobs/sha256/…`), the
    latter with layers that may be compressed.

    Raises:
        EngineError: The archive is broken, or a layer's compression is unknown.
    """
    contents, chunks = _Contents(), iter(archive)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", _Stream(chunks)), mode="r|", bufsize=_CHUNK) as tar:
            for member in tar:
                contents.take(member, tar)
        deque(chunks, maxlen=0)  # to its end, or the engine's connection stays open
        return contents.layers()
    except (tarfile.TarError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the engine saved an image that cannot be read: {error}") from error


@dataclass(slots=True)
class _Contents:
    """What was met in the archive so far: sizes of layers, links among them, small JSON documents."""

    sizes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

    def take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        if member.issym() or member.islnk():
            self.links[member.name] = _resolved(member)
        file = tar.extractfile(member) if member.isreg() else None
        if file is None:
            return
        head = file.read(_CHUNK)
        if head[:1] in (b"{", b"[") and member.size <= _SMALL:
            self.documents[member.name] = head + file.read()
        self.sizes[member.name] = _unpacked_size(head, file, member.name)

    def layers(self) -> tuple[Layer, ...]:
        (image,) = json.loads(self.documents["manifest.json"])
        config = json.loads(self.documents[image["Config"]])
        diff_ids = config["rootfs"]["diff_ids"]
        sizes = [self._size(name) for name in image["Layers"]]
        if len(sizes) != len(diff_ids):
            raise ValueError(f"{len(sizes)} layers, but {len(diff_ids)} diff ids")
        instructions = layer_instructions(config.get("history") or (), len(diff_ids))
        return tuple(Layer(*row) for row in zip(diff_ids, sizes, instructions, strict=True))

    def _size(self, name: str) -> int:
        return self.sizes[self.links.get(name, name)]


def layer_instructions(history: Sequence[Mapping[str, Any]], layers: int) -> list[str]:
    """The instruction behind each layer, from the bottom; empty texts where the history does not fit."""
    made = [str(entry.get("created_by", "")) for entry in history if not entry.get("empty_layer")]
    return made if len(made) == layers else [""] * layers


def _resolved(member: tarfile.TarInfo) -> str:
    """Docker stores a layer that occurs twice once, and links to it: `../ID/layer.tar`."""
    return member.linkname.removeprefix("../")


def _unpacked_size(head: bytes, file: IO[bytes], name: str) -> int:
    if head.startswith(_ZSTD):
        raise EngineError(
            f"layer {name} is compressed with zstd, which cannot be measured yet",
            hint="Use the engine's default image store.",
        )
    chunks = _chunks(head, file)
    return sum(len(part) for part in (_gunzip(chunks) if head.startswith(_GZIP) else chunks))


def _chunks(head: bytes, file: IO[bytes]) -> Iterator[bytes]:
    yield head
    while chunk := file.read(_CHUNK):
        yield chunk


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack a gzip stream of one or more members, at most a chunk at a time."""
    unpacker = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        rest = chunk
        while rest:
            yield unpacker.decompress(rest, _CHUNK)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=31)


class _Stream(io.RawIOBase):
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, wanted = [], size if size >= 0 else None
        while wanted is None or wanted > 0:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                break
            part, self._rest = self._rest[:wanted], self._rest[wanted:] if wanted is not None else b""
            parts.append(part)
            wanted = None if wanted is None else wanted - len(part)
        return b"".join(parts)
