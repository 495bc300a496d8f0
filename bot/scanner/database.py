"""The vulnerability database: brought up to date, bounded in age, and copied once for a cycle."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.errors import ScanError
from bot.model.vulnerability import Database
from bot.scanner.binary import file_digest
from bot.scanner.hold import Hold, remove_unheld
from bot.scanner.updating import VULNERABILITIES, Download, update

_KEPT: Final = 2
_MEMORY: Final = "db-digest.json"
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database comes from.

    Attributes:
        cache: Trivy's cache folder that is kept up to date; the database is below `db/`.
        repositories: OCI repositories of the database, tried in order; empty means Trivy's own.
        java_repositories: Likewise for the database that tells Java archives apart.
        offline: Never download; what is in `cache` is used.
        max_age: Scans fail once the database is older than this.
    """

    cache: Path
    repositories: tuple[str, ...] = ()
    java_repositories: tuple[str, ...] = ()
    offline: bool = False
    max_age: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the database that does not change any more.

    Attributes:
        folder: The copy itself; a scan's cache links it as `db`.
        database: Digest, date, schema version, and why it is not the newest.
        hold: Keeps others from removing it, until it is released or this value is no more.
    """

    folder: Path
    database: Database
    hold: Hold = field(repr=False, compare=False)


def take_snapshot(settings: DatabaseSettings, folder: Path, download: Download, now: datetime) -> Snapshot:
    """Bring the database up to date, check its age, and copy it below `folder`.

    Args:
        settings: Where it comes from.
        folder: Snapshots stand here, each under its digest; the two newest are kept.
        download: Runs Trivy's own download from a repository into a folder.
        now: Wall time, for the age.

    Raises:
        ScanError: There is none, or it is older than allowed.
    """
    note = ""
    if not settings.offline:
        note = update(VULNERABILITIES, settings.cache, settings.repositories, download, now)
    source = settings.cache / "db"
    for _ in range(_TRIES):
        metadata = _metadata(source, settings, note)
        database = _checked(source, metadata, settings, now, note)
        target = folder / database.digest.removeprefix("sha256:")[:16]
        with suppress(_Moved), _disk(folder):
            hold = _held_copy(source, target, database.digest)
            _forget_old(folder, target)
            return Snapshot(target, database, hold)
        with suppress(OSError):
            (settings.cache / _MEMORY).unlink()
    raise ScanError(f"the vulnerability database in {settings.cache} changes whenever it is read")


class _Moved(Exception):
    """Somebody replaced the database while its digest was taken."""


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ScanError(
            f"the vulnerability database cannot be copied to {folder}: {error.strerror}",
            hint="Free space in the state folder; the database needs about 1 GB there, twice.",
        ) from error


def updated_at(settings: DatabaseSettings) -> datetime:
    """When the database that is here now was made; nothing is downloaded.

    Raises:
        ScanError: There is none.
    """
    return _when(_metadata(settings.cache / "db", settings, ""))


def _when(metadata: dict[str, object]) -> datetime:
    made = datetime.fromisoformat(str(metadata["UpdatedAt"]))
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _metadata(source: Path, settings: DatabaseSettings, note: str) -> dict[str, object]:
    try:
        read = json.loads((source / "metadata.json").read_bytes())
        datetime.fromisoformat(str(read["UpdatedAt"]))
        int(read["Version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f" ({note})" if note else ""
        raise ScanError(
            f"there is no vulnerability database in {settings.cache}{reason}", hint=_how_to_get(settings)
        ) from error
    return dict(read)


def _checked(
    source: Path, metadata: dict[str, object], settings: DatabaseSettings, now: datetime, note: str
) -> Database:
    updated = _when(metadata)
    age = now - updated
    if age > settings.max_age:
        allowed = settings.max_age / timedelta(days=1)
        raise ScanError(
            f"the vulnerability database is {age.days} days old, more than the {allowed:g} allowed"
            + (f"; {note}" if note else ""),
            hint=_how_to_get(settings),
        )
    return Database(_digest(source / "trivy.db", settings), updated, int(str(metadata["Version"])), note)


def _how_to_get(settings: DatabaseSettings) -> str:
    if settings.offline:
        return "Copy a newer db/ folder into the database folder, or set scanner.offline: false."
    return "Allow access to a database repository, or set a mirror in scanner.database."


def _digest(path: Path, settings: DatabaseSettings) -> str:
    """sha256 of the database; remembered beside it by size and time, for it has some 800 MB."""
    try:
        stat = path.stat()
        memory = settings.cache / _MEMORY
        key = [stat.st_size, stat.st_mtime_ns]
        remembered = _remembered(memory, key)
        if remembered:
            return remembered
        digest = f"sha256:{file_digest(path)}"
    except OSError as error:
        raise ScanError(
            f"cannot read the vulnerability database {path}: {error.strerror}", hint=_how_to_get(settings)
        ) from error
    with suppress(OSError):  # a folder that is mounted read-only is read again each time
        _write(memory, json.dumps({"key": key, "digest": digest}).encode())
    return digest


def _remembered(memory: Path, key: list[int]) -> str:
    try:
        read = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return ""
    return str(read["digest"]) if isinstance(read, dict) and read.get("key") == key else ""


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).replace(path)


def _held_copy(source: Path, target: Path, digest: str) -> Hold:
    """Copy the database, unless it is there, and hold the copy: another cycle may clean up right now."""
    while True:
        if not target.is_dir():
            _copy(source, target, digest)
        with suppress(FileNotFoundError):
            hold = Hold(target)
            if hold.is_of(target):
                return hold


@contextmanager
def _held_folder(parent: Path) -> Iterator[Path]:
    """A new folder that is held: who cleans up may take one before for what a kill left."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent))
        with suppress(FileNotFoundError):
            hold = Hold(folder)
            if hold.is_of(folder):
                break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path, digest: str) -> None:
    """Copy rather than link: a later download may write into the source's own file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _held_folder(target.parent) as folder:
        made = folder / "db"
        made.mkdir()
        for name in VULNERABILITIES.files:
            shutil.copyfile(source / name, made / name)
            (made / name).chmod(0o444)
        if f"sha256:{file_digest(made / 'trivy.db')}" != digest:
            raise _Moved
        if not target.is_dir():
            made.rename(target)


def _forget_old(folder: Path, current: Path) -> None:
    """Remove all but the newest snapshots, and those that somebody scans with."""
    others = [path for path in folder.iterdir() if path.is_dir() and path != current]
    for path in sorted(others, key=_modified, reverse=True)[_KEPT - 1 :]:
        remove_unheld(path)


def _modified(path: Path) -> float:
    """When a folder was modified; 0 for one that somebody removed meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
