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
from bot.builder.stream import CHUNK, Stream, chunks, gunzip, gzipped_size
from bot.builder.waste import largest, waste
from bot.errors import EngineError
from bot.model.evidence import Build, Layer

_SMALL: Final = 4 * 1024**2
_KEPT: Final = 512 * 1024**2
_NO_LAYERS: Final = ("VERSION", "repositories", "oci-layout")
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def measure_stream(archive: Iterable[bytes], base: Mapping[str, int | None], scratch: Path) -> Build:
    """Measure one image, given what `docker save` writes; memory stays flat.

    Both layouts are read: Docker's own (`ID/layer.tar`) and OCI's (`blobs/sha256/…`), the
    latter with layers that may be compressed.

    Args:
        archive: The archive, in pieces.
        base: Diff ids of the base image's layers, each with the bytes a registry stores for it,
            where known; only the other layers are packed to see what a push would store.
        scratch: Folder for layers until it is known which ones those are, at most 512 MiB; what
            does not fit is not packed, and has no pushed size.

    Raises:
        EngineError: The archive is broken, or a layer's compression is unknown.
    """
    pieces = iter(archive)
    with reading(scratch) as found:
        with tarfile.open(fileobj=cast("IO[bytes]", Stream(pieces)), mode="r|", bufsize=CHUNK) as tar:
            for member in tar:
                found.take(member, tar)
        deque(pieces, maxlen=0)  # to its end, or the engine's connection stays open
        return found.build(base)


@contextmanager
def reading(scratch: Path) -> Iterator[ImageFiles]:
    """Room to read one image; what cannot be read is an `EngineError`."""
    found = ImageFiles(scratch)
    try:
        yield found
    except (tarfile.TarError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the image was saved in a way that cannot be read: {error}") from error
    finally:
        found.close()


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
class ImageFiles:
    """The files of a saved image as they are met: layers, links among them, small JSON documents."""

    scratch: Path
    blobs: dict[str, _Blob] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    kept: list[IO[bytes]] = field(default_factory=list)
    room: int = _KEPT

    def take(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        """Take a member of `docker save`'s tar."""
        if member.issym() or member.islnk():
            # Docker stores a layer that occurs twice once, and links to it: `../ID/layer.tar`.
            self.links[member.name] = member.linkname.removeprefix("../")
        file = tar.extractfile(member) if member.isreg() else None
        if file is not None:
            self.take_file(member.name, member.size, file)

    def take_file(self, name: str, size: int, file: IO[bytes]) -> None:
        """Take one file: a document, or a layer."""
        head = file.read(CHUNK)
        if head[:1] in (b"{", b"[") and size <= _SMALL:
            self.documents[name] = head + file.read()
        elif size > 0 and name.rpartition("/")[2] not in _NO_LAYERS:
            self.blobs[name] = self._blob(name, size, head, file)

    def build(self, base: Mapping[str, int | None]) -> Build:
        """What is in the image; raises KeyError, ValueError and the like where files are missing."""
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
        own = {path: size for layer in layers if not layer.base for path, size in layer.files.items()}
        return Build(
            image="sha256:" + hashlib.sha256(self.documents[image["Config"]]).hexdigest(),
            seconds=0.0,
            steps=(),
            size=sum(layer.size for layer in layers),
            layers=layers,
            pushed_size=_sum([len(self.documents[image["Config"]]), *(one.pushed_size for one in layers)]),
            waste=waste(trees),
            package_size=package_size(trees),
            largest=largest(own),
        )

    def close(self) -> None:
        """Give back what was kept of layers."""
        for file in self.kept:
            file.close()

    def _blob(self, name: str, size: int, head: bytes, file: IO[bytes]) -> _Blob:
        if head.startswith(_ZSTD):
            raise EngineError(
                f"layer {name} is compressed with zstd, which cannot be measured yet",
                hint="Use the engine's default image store.",
            )
        packed = head.startswith(_GZIP)
        kept = None if packed else self._spool(size)
        plain = chunks(head, file)
        tee = _Tee(gunzip(plain) if packed else plain, kept)
        contents = read_layer(iter(tee))
        return _Blob(tee.size, contents, size if packed else None, kept)

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
