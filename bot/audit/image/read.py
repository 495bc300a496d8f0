"""Read an image's contents from what `docker save` writes; nothing is unpacked to disk.

Layers are read once from the bottom, whiteouts as in the OCI image layer specification. Everything is
bounded: a tar bomb ends the reading with an error, and a link leads nowhere, for none is followed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

from bot.audit.image import elf
from bot.audit.image.contents import Entry, Image, Kind
from bot.errors import EngineError

_CHUNK: Final = 1024 * 1024
_SMALL: Final = 8 * 1024 * 1024
_HASHED: Final = 16 * 1024
_GZIP: Final = b"\x1f\x8b"
_REMOVED: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_READ: Final = re.compile(
    r"var/lib/dpkg/status|var/lib/dpkg/status\.d/[^/]+|(?:usr/)?lib/apk/db/installed|(?:.*/)?package\.json"
)
_MAX_TEXTS: Final = 2000
_STARTS: Final = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:CMD|ENTRYPOINT)\b")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read of one image.

    Attributes:
        unpacked: Bytes of all layers together.
        entries: Paths in all layers together.
        binary: Bytes of an ELF binary that is looked into.
    """

    unpacked: int = 32 * 1024**3
    entries: int = 2_000_000
    binary: int = 512 * 1024**2


def read(archive: Path, name: str, *, base_layers: int | None = None, limits: Limits | None = None) -> Image:
    """Read an image.

    Args:
        archive: What `docker save` wrote.
        name: What people call it.
        base_layers: How many of the lowest layers belong to its base; None takes it from the history.
        limits: How much is read.

    Raises:
        EngineError: It is no such archive, it is broken, or it is larger than the limits.
    """
    reading = _Reading(limits or Limits(), base_layers or 1)
    try:
        with tarfile.open(archive) as tar:
            config, layers = _described(tar)
            reading.base_layers = base_layers or _layers_of_base(config.get("history") or ())
            for number, layer in enumerate(layers):
                reading.layer(number, _opened(tar, layer))
    except (OSError, tarfile.TarError, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise EngineError(f"{name} cannot be read as a saved image: {error}", hint=_HINT) from error
    ran = config.get("config") or {}
    return Image(
        name=name,
        live=reading.live,
        hidden=tuple(reading.hidden),
        texts={path: text for path, text in reading.texts.items() if path in reading.live},
        user=str(ran.get("User") or ""),
        ports=tuple(sorted(str(port) for port in ran.get("ExposedPorts") or ())),
        base_layers=reading.base_layers,
    )


_HINT: Final = "Give what `docker save IMAGE` wrote."


def _described(tar: tarfile.TarFile) -> tuple[dict[str, Any], list[str]]:
    """The image's config and the names of its layers (moby: image/tarexport, `manifest.json`)."""
    (image,) = json.loads(_small(tar, "manifest.json"))
    config: dict[str, Any] = json.loads(_small(tar, image["Config"]))
    return config, [str(layer) for layer in image["Layers"]]


def _layers_of_base(history: Sequence[Mapping[str, Any]]) -> int:
    """How many layers lie below the last CMD or ENTRYPOINT that layers follow: a base ends with one."""
    layers, base = 0, 1
    ended = 0
    for entry in history:
        if not entry.get("empty_layer"):
            base = max(base, ended)
            layers += 1
        elif _STARTS.search(str(entry.get("created_by", ""))):
            ended = layers
    return base


def _small(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(tar.getmember(name))
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read(_SMALL)


def _opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(tar.getmember(name))
    if file is None:
        raise ValueError(f"layer {name} is no file")
    head = file.read(2)
    file.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if head == _GZIP else file


@dataclass(slots=True)
class _Reading:
    limits: Limits
    base_layers: int
    live: dict[str, Entry] = field(default_factory=dict)
    hidden: list[Entry] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    unpacked: int = 0
    entries: int = 0

    def layer(self, number: int, file: IO[bytes]) -> None:
        """Lay a layer over what is there."""
        added: dict[str, Entry] = {}
        gone: set[str] = set()
        emptied: set[str] = set()
        with tarfile.open(fileobj=cast("IO[bytes]", _Counted(file, self)), mode="r|", bufsize=_CHUNK) as tar:
            for member in tar:
                self._count()
                path = _clean(member.name)
                folder, _, last = path.rpartition("/")
                if last == _OPAQUE:
                    emptied.add(folder)
                elif last.startswith(_REMOVED):
                    gone.add(f"{folder}/{last.removeprefix(_REMOVED)}".lstrip("/"))
                else:
                    added[path] = self._entry(number, path, member, tar)
        self._apply(number, added, gone, emptied)

    def _count(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise EngineError(f"it has more than {self.limits.entries:,} files: not read")

    def _entry(self, number: int, path: str, member: tarfile.TarInfo, tar: tarfile.TarFile) -> Entry:
        mode = member.mode & 0o7777
        if not member.isreg():
            kind = Kind.FOLDER if member.isdir() else Kind.OTHER
            return Entry(path, number, Kind.LINK if member.issym() or member.islnk() else kind, 0, mode)
        file = tar.extractfile(member)
        digest, strippable = self._looked_into(path, member.size, file) if file else ("", 0)
        return Entry(path, number, Kind.FILE, member.size, mode, digest, strippable)

    def _looked_into(self, path: str, size: int, file: IO[bytes]) -> tuple[str, int]:
        if size <= _SMALL and len(self.texts) < _MAX_TEXTS and _READ.fullmatch(path):
            self.texts[path] = file.read()
            return "", 0
        if size < _HASHED:
            return "", 0
        head = file.read(4)
        whole = io.BytesIO(head) if head == elf.MAGIC and size <= self.limits.binary else None
        digest = hashlib.sha256(head)
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
            if whole is not None:
                whole.seek(0, io.SEEK_END)
                whole.write(chunk)
        return digest.hexdigest(), elf.strippable(whole) if whole is not None else 0

    def _apply(self, number: int, added: Mapping[str, Entry], gone: set[str], emptied: set[str]) -> None:
        """What the image itself replaces or removes is kept as hidden: it is shipped all the same."""
        cut = gone | emptied | {path for path, entry in added.items() if entry.kind is not Kind.FOLDER}
        for path in [path for path in self.live if path in gone or _is_in(path, cut)]:
            self._hide(self.live.pop(path), number)
        for path, entry in added.items():
            below = self.live.get(path)
            if below is not None:
                self._hide(below, number)
            self.live[path] = entry

    def _hide(self, entry: Entry, number: int) -> None:
        if entry.kind is Kind.FILE and entry.size and number >= self.base_layers:
            self.hidden.append(entry)


class _Counted(io.RawIOBase):
    """A layer's bytes, up to what may be read of the whole image."""

    def __init__(self, file: IO[bytes], reading: _Reading) -> None:
        super().__init__()
        self._file, self._reading = file, reading

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(_CHUNK if size < 0 else size)
        self._reading.unpacked += len(data)
        if self._reading.unpacked > self._reading.limits.unpacked:
            limit = self._reading.limits.unpacked
            raise EngineError(f"its layers unpack to more than {limit:,} bytes: not read")
        return data


def _clean(name: str) -> str:
    """A path inside the image, whatever the tar says: `../` leads nowhere."""
    return "/".join(part for part in name.split("/") if part not in {"", ".", ".."})


def _is_in(path: str, folders: set[str]) -> bool:
    at = path.find("/")
    while at >= 0:
        if path[:at] in folders:
            return True
        at = path.find("/", at + 1)
    return "" in folders
