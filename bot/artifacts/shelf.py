"""The `Artifacts` port on fsspec: a folder, or any object store that fsspec speaks to."""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
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
_MOMENTS: Final = ("mtime", "LastModified", "last_modified", "updated", "created")
_NEVER_OLD: Final = datetime.max.replace(tzinfo=UTC)
_PROBE: Final = b"written by refit doctor, and to be removed at once"
# These have no folders, and what is written to them is there as a whole or not at all.
_OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"})
# What to install for them, beside what their file system needs itself.
_EXTRAS: Final = {"s3": "pip install 'refit[s3]'"}
# botocore's own: a minute for each connection, five times, five times over by s3fs.
_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}}
}


def open_shelf(location: str, link: str = "") -> ArtifactShelf:
    """Open the place where artifacts are kept.

    Args:
        location: A folder's absolute path, or a URL that fsspec knows: `s3://bucket/refit`. The login of an
            object store is in the environment, where its own client looks for it.
        link: Where a person opens one: a URL with `{digest}` in it; empty where nothing serves them.

    Raises:
        StoreError: No such file system is installed, or it cannot be reached.
    """
    if "://" not in location:
        return _asked(location, lambda: ArtifactShelf(_folder(Path(location)), location, link))
    # Other machines write there too: what a listing said a while ago is no answer.
    options = _OPTIONS.get(_protocol(location), {})
    system, path = _asked(location, lambda: url_to_fs(location, use_listings_cache=False, **options))
    return ArtifactShelf(system, path, link, location)


class ArtifactShelf:
    """Documents by digest, two levels deep: `sha256/ab/ab01…`.

    Args:
        system: The file system.
        root: Where in it.
        link: See `open_shelf`.
        location: What people call the place; `root` where that is nothing else.
    """

    def __init__(self, system: AbstractFileSystem, root: str, link: str = "", location: str = "") -> None:
        self._system, self._root, self._link = system, root.rstrip("/"), link
        self._location = location or root
        spoken = system.protocol
        self._flat = not _OBJECT_STORES.isdisjoint((spoken,) if isinstance(spoken, str) else spoken)

    def put(self, kind: ArtifactKind, data: bytes) -> Artifact:
        """Keep a document; the same bytes are kept once, and for as long as if they were new.

        Raises:
            StoreError: It could not be written.
        """
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        _asked(self._location, lambda: self._write(self._path(digest), data))
        return Artifact(kind, digest, len(data), self._link.replace("{digest}", digest))

    def get(self, digest: str) -> bytes:
        """A kept document, its digest verified.

        Raises:
            StoreError: It is gone, damaged, or cannot be read.
        """
        path = self._path(digest)
        data: bytes = _asked(f"{self._location}, {digest}", lambda: self._system.cat_file(path))
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise StoreError(
                f"the artifact {digest} is damaged in {self._location}",
                hint="Remove it there; the next scan makes it again.",
            )
        return data

    def has(self, digest: str) -> bool:
        """Whether it is there.

        Raises:
            StoreError: That cannot be told: the place cannot be reached.
        """
        path = self._path(digest)
        try:
            return bool(_asked(self._location, lambda: self._system.info(path), FileNotFoundError))
        except FileNotFoundError:
            return False

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

    def probe(self) -> None:
        """Write something and remove it again.

        Raises:
            StoreError: Nothing can be kept here.
        """
        path = f"{self._root}/{_INCOMING}/{uuid.uuid4().hex}"
        _asked(self._location, lambda: self._write(path, _PROBE))
        self._removed(path)

    def _removed(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            _asked(self._location, lambda: self._system.rm_file(path), FileNotFoundError)

    def _found(self, folder: str) -> dict[str, dict[str, Any]]:
        """Every file below a folder with what is known of it; none where the folder is not there."""
        found: dict[str, dict[str, Any]] = _asked(
            self._location, lambda: self._system.find(folder, detail=True)
        )
        return found

    def _path(self, digest: str) -> str:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise StoreError(f"not a digest: {digest[:100]!r}", hint="It is sha256: and 64 hex digits.")
        return f"{self._root}/sha256/{found[1][:2]}/{found[1]}"

    def _write(self, path: str, data: bytes) -> None:
        """Write beside it, then rename: a killed process leaves no half document under a digest."""
        if self._flat:
            self._system.pipe_file(path, data)
            return
        beside = f"{self._root}/{_INCOMING}/{uuid.uuid4().hex}"
        for folder in (path.rpartition("/")[0], beside.rpartition("/")[0]):
            self._system.makedirs(folder, exist_ok=True)
        self._system.pipe_file(beside, data)
        self._system.mv(beside, path)


def _folder(path: Path) -> AbstractFileSystem:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return url_to_fs(str(path))[0]


def _written(entry: dict[str, Any]) -> datetime:
    """When an entry was written: each file system has its own word for it."""
    moment = next((entry[word] for word in _MOMENTS if entry.get(word)), _NEVER_OLD)
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(moment), UTC)


def _asked(where: str, call: Callable[[], T], *passed: type[Exception]) -> T:
    """Ask the file system; what it refuses is an expected failure."""
    try:
        return call()
    except passed:
        raise
    except ImportError as error:
        name = _protocol(where)
        raise StoreError(
            f"artifacts cannot be kept in {where}: what speaks {name} is not installed ({error})",
            hint=f"{_EXTRAS.get(name, 'Install it beside Refit')}; or give artifacts.location a folder.",
        ) from error
    except Exception as error:  # each object store's client has errors of its own, with no common base
        raise StoreError(
            f"artifacts cannot be kept in or read from {where}: {error}",
            hint="Check artifacts.location, the disk, and the object store's login in the environment.",
        ) from error


def _protocol(location: str) -> str:
    return location.partition("://")[0]
