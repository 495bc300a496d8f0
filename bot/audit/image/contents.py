"""What is in an image, as its rules see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.exposure import Secret


class Kind(StrEnum):
    """What an entry of a layer is."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of one layer.

    Attributes:
        path: Without a leading `/`.
        layer: Index of the layer, from the bottom.
        kind: What it is; a hard link is a link.
        size: Bytes.
        mode: Permission bits, setuid and sticky included.
        digest: sha256 of its bytes; empty for small files.
        strippable: Bytes of symbols and debug information, for an ELF binary.
    """

    path: str
    layer: int
    kind: Kind
    size: int = 0
    mode: int = 0
    digest: str = ""
    strippable: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Attributes:
        name: What people call it.
        live: The entries that a container sees, by path.
        hidden: The files that a later layer replaces or removes: shipped all the same.
        texts: Files that rules read: package lists, manifests.
        user: The config's user; empty is root.
        ports: What it says it listens on: `8080/tcp`.
        base_layers: How many of the lowest layers belong to the base image.
        secrets: What a scanner found, or None where none looked.
    """

    name: str
    live: Mapping[str, Entry] = field(hash=False)
    hidden: tuple[Entry, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    user: str = ""
    ports: tuple[str, ...] = ()
    base_layers: int = 1
    secrets: tuple[Secret, ...] | None = None

    def files(self, pattern: re.Pattern[str] | None = None) -> Iterator[Entry]:
        """The live files, those whose whole path matches where a pattern is given."""
        for entry in self.live.values():
            if entry.kind is Kind.FILE and (pattern is None or pattern.fullmatch(entry.path)):
                yield entry

    def text(self, path: str) -> str:
        """A file as text; empty where there is none."""
        return self.texts.get(path, b"").decode(errors="replace")


def shown(entries: list[Entry], most: int = 3) -> str:
    """The largest of some entries by path: `/a, /b and 7 more`."""
    ordered = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    names = ", ".join(f"/{entry.path}" for entry in ordered[:most])
    return f"{names} and {len(ordered) - most} more" if len(ordered) > most else names
