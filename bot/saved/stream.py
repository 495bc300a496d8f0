"""Chunks of bytes as a file to read from, and unpacked on the way; memory stays flat."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

from bot.errors import EngineError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK: Final = 1024**2
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
# 128 MiB, what zstd itself unpacks without being told more; a larger window takes the memory it asks for.
_WINDOW: Final[Mapping[int, int]] = {zstd.DecompressionParameter.window_log_max: 27}


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
        EngineError: Its zstd is broken, or needs too much memory.
    """
    head = head or file.read(CHUNK)
    stored = _chunks(head, file)
    if head.startswith(ZSTD):
        return _unzstd(name, stored)
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


def _unzstd(name: str, packed: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from unzstd(packed)
    except zstd.ZstdError as error:
        raise EngineError(
            f"layer {name} cannot be unpacked: {error}", hint="It may be broken: save the image once more."
        ) from error


def unzstd(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack zstd frames, at most a chunk at a time; those that hold no data (zstd:chunked) give none.

    Raises:
        ZstdError: It is broken, breaks off, or wants more memory than 128 MiB.
    """
    unpacker = zstd.ZstdDecompressor(options=_WINDOW)
    begun = False
    for chunk in packed:
        rest = chunk
        while rest or not unpacker.needs_input:
            yield unpacker.decompress(rest, CHUNK)
            rest, begun = b"", True
            if unpacker.eof:
                rest, unpacker, begun = unpacker.unused_data, zstd.ZstdDecompressor(options=_WINDOW), False
    if begun:
        raise zstd.ZstdError("it breaks off in the middle of a frame")
