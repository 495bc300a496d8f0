"""What is in an image, layer by layer, as the rules want to see it; nothing is unpacked to disk.

Everything is bounded: a tar bomb ends the reading with an error; links are not followed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from bot.audit.image import elf
from bot.audit.image.contents import Entry, Image, Kind
from bot.model.manifest import Platform
from bot.saved import SavedImage, open_saved
from bot.saved.layer import Budget, Emptied, Found, Limits, Removed, taken_away, walk

_CHUNK: Final = 1024 * 1024
_SMALL: Final = 8 * 1024 * 1024
_HASHED: Final = 16 * 1024
_BINARY: Final = 512 * 1024**2
_READ: Final = re.compile(
    r"var/lib/dpkg/status|var/lib/dpkg/status\.d/[^/]+|(?:usr/)?lib/apk/db/installed|(?:.*/)?package\.json"
)
_MAX_TEXTS: Final = 2000
_STARTS: Final = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:CMD|ENTRYPOINT)\b")


def read(
    archive: Path,
    name: str,
    platform: Platform,
    *,
    base_layers: int | None = None,
    limits: Limits | None = None,
) -> Image:
    """Read an image.

    Args:
        archive: What `docker save` wrote, or an OCI layout.
        name: What people call it.
        platform: Which image of an OCI index.
        base_layers: How many of the lowest layers belong to its base; None takes it from the history.
        limits: How much is read.

    Raises:
        EngineError: It is no such archive, it is broken, or it is larger than the limits.
    """
    with open_saved(archive, platform) as saved:
        return _image(saved, name, base_layers, Budget(limits or Limits()))


def _image(saved: SavedImage, name: str, base_layers: int | None, budget: Budget) -> Image:
    config: dict[str, Any] = json.loads(saved.config)
    reading = _Reading(budget, base_layers or _layers_of_base(config.get("history") or ()))
    for number, layer in enumerate(saved.layers):
        reading.layer(number, layer.read())
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


@dataclass(slots=True)
class _Reading:
    budget: Budget
    base_layers: int
    live: dict[str, Entry] = field(default_factory=dict)
    hidden: list[Entry] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)

    def layer(self, number: int, chunks: Iterator[bytes]) -> None:
        """Lay a layer over what is there."""
        added: dict[str, Entry] = {}
        removed: list[str] = []
        emptied: list[str] = []
        for step in walk(chunks, self.budget):
            match step:
                case Emptied():
                    emptied.append(step.folder)
                case Removed():
                    removed.append(step.path)
                case Found():
                    added[step.path] = self._entry(number, step)
        files = [path for path, entry in added.items() if entry.kind is not Kind.FOLDER]
        for path in taken_away(self.live, removed, emptied, files):
            self._hide(self.live.pop(path), number)
        self._add(number, added)

    def _entry(self, number: int, found: Found) -> Entry:
        member, path = found.member, found.path
        mode = member.mode & 0o7777
        file = found.open()
        if file is None:
            kind = Kind.FOLDER if member.isdir() else Kind.OTHER
            return Entry(path, number, Kind.LINK if member.issym() or member.islnk() else kind, 0, mode)
        digest, strippable = self._looked_into(path, member.size, file)
        return Entry(path, number, Kind.FILE, member.size, mode, digest, strippable)

    def _looked_into(self, path: str, size: int, file: IO[bytes]) -> tuple[str, int]:
        if size <= _SMALL and len(self.texts) < _MAX_TEXTS and _READ.fullmatch(path):
            self.texts[path] = file.read()
            return "", 0
        if size < _HASHED:
            return "", 0
        head = file.read(4)
        whole = io.BytesIO(head) if head == elf.MAGIC and size <= _BINARY else None
        digest = hashlib.sha256(head)
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
            if whole is not None:
                whole.seek(0, io.SEEK_END)
                whole.write(chunk)
        return digest.hexdigest(), elf.strippable(whole) if whole is not None else 0

    def _add(self, number: int, added: Mapping[str, Entry]) -> None:
        """What the image itself replaces or removes is kept as hidden: it is shipped all the same."""
        for path, entry in added.items():
            below = self.live.get(path)
            if below is not None:
                self._hide(below, number)
            self.live[path] = entry

    def _hide(self, entry: Entry, number: int) -> None:
        if entry.kind is Kind.FILE and entry.size and number >= self.base_layers:
            self.hidden.append(entry)
