"""The `Artifacts` port on fsspec: a folder, or any object store that fsspec speaks to."""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from bot.errors import StoreError
from bot.model.artifact import Artifact, ArtifactKind, Kept

T = TypeVar("T")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_INCOMING: Final = "incoming"


def open_shelf(location: str, link: str = "") -> ArtifactShelf:
    """Open the place where artifacts are kept.

    Args:
        location: A folder's absolute path, or a URL that fsspec knows: `s3://bucket/refit`.
        link: Where a person opens one: a URL with `{digest}` in it; empty where nothing serves them.

    Raises:
        StoreError: No such file system is installed, or it cannot be reached.
    """
    if "://" not in location:
        return _asked(location, lambda: ArtifactShelf(_folder(Path(location)), location, link))
    system, path = _asked(location, lambda: url_to_fs(location))
    return ArtifactShelf(system, path, link)


class ArtifactShelf:
    """Documents by digest, two levels deep: `sha256/ab/ab01…`.

    Args:
        system: The file system.
        root: Where in it.
        link: See `open_shelf`.
    """

    def __init__(self, system: AbstractFileSystem, root: str, link: str = "") -> None:
        self._system, self._root, self._link = system, root.rstrip("/"), link

    def put(self, kind: ArtifactKind, data: bytes) -> Artifact:
        """Keep a document; the same bytes are kept once.

        Raises:
            StoreError: It could not be written.
        """
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if not self.has(digest):
            _asked(self._root, lambda: self._write(digest, data))
        return Artifact(kind, digest, len(data), self._link.replace("{digest}", digest))

    def get(self, digest: str) -> bytes:
        """A kept document, its digest verified.

        Raises:
            StoreError: It is gone, damaged, or cannot be read.
        """
        data: bytes = _asked(digest, lambda: self._system.cat_file(self._path(digest)))
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise StoreError(
                f"the artifact {digest} is damaged in {self._root}",
                hint="Remove it there; the next scan makes it again.",
            )
        return data

    def has(self, digest: str) -> bool:
        """Whether it is there."""
        return bool(_asked(self._root, lambda: self._system.isfile(self._path(digest))))

    def kept(self) -> Iterator[Kept]:
        """Everything that is there."""
        for path, entry in self._found(self._root).items():
            name = path.rpartition("/")[2]
            if _HEX.fullmatch(name):
                yield Kept(f"sha256:{name}", int(entry["size"]), _written(entry))

    def tidy(self, before: datetime) -> None:
        """Remove what was half written by then, by processes that were killed."""
        for path, entry in self._found(f"{self._root}/{_INCOMING}").items():
            if _written(entry) < before:
                self._removed(path)

    def remove(self, digest: str) -> None:
        """Forget a document; one that is gone already is no error."""
        self._removed(self._path(digest))

    def _removed(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            _asked(self._root, lambda: self._system.rm_file(path), FileNotFoundError)

    def _found(self, folder: str) -> dict[str, dict[str, Any]]:
        """Every file below a folder with what is known of it; none where the folder is not there."""
        found: dict[str, dict[str, Any]] = _asked(self._root, lambda: self._system.find(folder, detail=True))
        return found

    def _path(self, digest: str) -> str:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise StoreError(f"not a digest: {digest[:100]!r}", hint="It is sha256: and 64 hex digits.")
        return f"{self._root}/sha256/{found[1][:2]}/{found[1]}"

    def _write(self, digest: str, data: bytes) -> None:
        """Write beside it, then rename: a killed process leaves no half document under a digest."""
        path, beside = self._path(digest), f"{self._root}/{_INCOMING}/{uuid.uuid4().hex}"
        for folder in (path.rpartition("/")[0], beside.rpartition("/")[0]):
            self._system.makedirs(folder, exist_ok=True)
        self._system.pipe_file(beside, data)
        self._system.mv(beside, path)


def _folder(path: Path) -> AbstractFileSystem:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return url_to_fs(str(path))[0]


def _written(entry: dict[str, Any]) -> datetime:
    """When an entry was written: each file system has its own word for it."""
    moment = entry.get("mtime") or entry.get("LastModified") or entry.get("created") or 0
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(moment), UTC)


def _asked(where: str, call: Callable[[], T], *passed: type[Exception]) -> T:
    """Ask the file system; what it refuses is an expected failure."""
    try:
        return call()
    except passed:
        raise
    except (OSError, ImportError, ValueError) as error:
        raise StoreError(
            f"artifacts cannot be kept in or read from {where}: {error}",
            hint="Check artifacts.location, the disk, and the object store's login in the environment.",
        ) from error
