"""Chunks of bytes as a file to read from, and unpacked on the way; memory stays flat."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Final

from bot.errors import EngineError

CHUNK: Final = 1024**2
GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Stream(io.RawIOBase):
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks, self._rest = filter(None, chunks), b""  # an empty one is not the end

    def readable(self) -> bool:
        """Yes, and nothing else."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer only at the end; all of them for a negative size."""
        parts, wanted = [], size if size >= 0 else None
        while wanted is None or wanted > 0:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                break
            part, self._rest = self._rest[:wanted], self._rest[wanted:] if wanted is not None else b""
            parts.append(part)
            wanted = None if wanted is None else wanted - len(part)
        return b"".join(parts)


def plain(name: str, file: IO[bytes], head: bytes = b"") -> Iterator[bytes]:
    """A layer's uncompressed bytes, in pieces.

    Args:
        name: For the error.
        file: The layer as stored.
        head: What was read of it already.

    Raises:
        EngineError: It is compressed in a way that cannot be read.
    """
    head = head or file.read(CHUNK)
    if head.startswith(_ZSTD):
        raise EngineError(
            f"layer {name} is compressed with zstd, which cannot be read yet",
            hint="Use the engine's default image store, or save it with gzip.",
        )
    stored = _chunks(head, file)
    return gunzip(stored) if head.startswith(GZIP) else stored


def _chunks(head: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """What was read of a file already, then the rest of it."""
    yield head
    while chunk := file.read(CHUNK):
        yield chunk


def gunzip(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack a gzip stream of one or more members, at most a chunk at a time."""
    unpacker = zlib.decompressobj(wbits=31)
    for chunk in packed:
        rest = chunk
        while rest:
            yield unpacker.decompress(rest, CHUNK)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=31)
