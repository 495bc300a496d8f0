"""Sizes counted by us: the bytes of each uncompressed layer tar, read from the engine as a stream.

Engines disagree about sizes (some count files, some blobs), so none is asked.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

from bot.builder.contents import LayerContents, read_layer
from bot.builder.packages import package_size
from bot.builder.stream import CHUNK, Stream, chunks, gunzip, gzipped_size
from bot.builder.waste import waste
from bot.errors import EngineError
from bot.model.evidence import Layer, Waste

_SMALL: Final = 4 * 1024**2
_KEPT: Final = 2 * 1024**3
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Measured:
    """What an image holds; fields as in `Build`."""

    layers: tuple[Layer, ...]
    waste: Waste
    package_size: int | None
    pushed_size: int | None

    @property
    def size(self) -> int:
        """Unpacked bytes."""
        return sum(layer.size for layer in self.layers)

    def own_files(self) -> dict[str, int]:
        """Bytes of each file that the layers above the base hold."""
        return {path: size for layer in self.layers if not layer.base for path, size in layer.files.items()}


def measure_image(archive: Iterable[bytes], base: Mapping[str, int | None], scratch: Path) -> Measured:
    """Measure one image, given what `docker save` writes; memory stays flat.

    Both layouts are read: Docker's own (`ID/layer.tar`) and OCI's (`blobs/sha256/…`), the
    latter with layers that may be compressed.

    Args:
        archive: The archive, in pieces.
        base: Diff ids of the base image's layers, each with the bytes a registry stores for it,
            where known; only the other layers are packed to see what a push would store.
        scratch: Folder for layers until it is known which ones those are, at most 2 GiB.

    Raises:
        EngineError: The archive is broken, or a layer's compression is unknown.
    """
    contents, pieces = _Archive(scratch), iter(archive)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", Stream(pieces)), mode="r|", bufsize=CHUNK) as tar:
            for member in tar:
                contents.take(member, tar)
        deque(pieces, maxlen=0)  # to its end, or the engine's connection stays open
        return contents.measured(base)
    except (tarfile.TarError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the engine saved an image that cannot be read: {error}") from error
    finally:
        contents.close()


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
            self.kept.seek(0)
            self.pushed = gzipped_size(self.kept)
        return self.pushed


@dataclass(slots=True)
class _Archive:
    """What was met in the archive so far: layers, links among them, small JSON documents."""

    scratch: Path
    blobs: dict[str, _Blob] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    kept: list[IO[bytes]] = field(default_factory=list)
    room: int = _KEPT

    def take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        if member.issym() or member.islnk():
            # Docker stores a layer that occurs twice once, and links to it: `../ID/layer.tar`.
            self.links[member.name] = member.linkname.removeprefix("../")
        file = tar.extractfile(member) if member.isreg() else None
        if file is None:
            return
        head = file.read(CHUNK)
        if head[:1] in (b"{", b"[") and member.size <= _SMALL:
            self.documents[member.name] = head + file.read()
        elif member.size > 0 and member.name.rpartition("/")[2] not in ("VERSION", "repositories"):
            self.blobs[member.name] = self._blob(member, head, file)

    def measured(self, base: Mapping[str, int | None]) -> Measured:
        (image,) = json.loads(self.documents["manifest.json"])
        config = json.loads(self.documents[image["Config"]])
        diff_ids = config["rootfs"]["diff_ids"]
        blobs = [self.blobs[self.links.get(name, name)] for name in image["Layers"]]
        if len(blobs) != len(diff_ids):
            raise ValueError(f"{len(blobs)} layers, but {len(diff_ids)} diff ids")
        instructions = layer_instructions(config.get("history") or (), len(diff_ids))
        rows = zip(diff_ids, blobs, instructions, strict=True)
        layers = tuple(_layer(diff_id, blob, text, base) for diff_id, blob, text in rows)
        trees = [blob.contents for blob in blobs]
        pushed = _sum([len(self.documents[image["Config"]]), *(layer.pushed_size for layer in layers)])
        return Measured(layers, waste(trees), package_size(trees), pushed)

    def close(self) -> None:
        for file in self.kept:
            file.close()

    def _blob(self, member: tarfile.TarInfo, head: bytes, file: IO[bytes]) -> _Blob:
        if head.startswith(_ZSTD):
            raise EngineError(
                f"layer {member.name} is compressed with zstd, which cannot be measured yet",
                hint="Use the engine's default image store.",
            )
        packed = head.startswith(_GZIP)
        kept = None if packed else self._spool(member.size)
        plain = chunks(head, file)
        tee = _Tee(gunzip(plain) if packed else plain, kept)
        contents = read_layer(iter(tee))
        return _Blob(tee.size, contents, member.size if packed else None, kept)

    def _spool(self, size: int) -> IO[bytes] | None:
        """A file to keep a layer in; None where there is no room left."""
        if size > self.room:
            return None
        self.room -= size
        file = cast("IO[bytes]", tempfile.TemporaryFile(dir=self.scratch))  # noqa: SIM115 - `close` does
        self.kept.append(file)
        return file


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
