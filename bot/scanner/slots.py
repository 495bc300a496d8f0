"""A cache folder for each scan that runs: Trivy waits 5 s for another's lock and fails (trivy #10688)."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_MOST_KNOWN: Final = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Slot:
    """Folders that belong to one scan while it runs.

    Attributes:
        cache: For `--cache-dir`: the layers it knows from earlier scans, and the snapshot as `db`.
        work: Everything thrown away at the end.
    """

    cache: Path
    work: Path

    @property
    def empty(self) -> Path:
        """Where it runs and what it takes for its home: nothing there to be read as settings."""
        return self.work / "empty"

    @property
    def temporary(self) -> Path:
        """Its folder for temporary files."""
        return self.work / "tmp"

    @property
    def nothing(self) -> Path:
        """An empty file, for every setting it would else look for where it stands."""
        return self.work / "nothing.yaml"

    @property
    def secret_rules(self) -> Path:
        """Its own rules for secrets, changed in nothing; an empty file is refused here."""
        return self.work / "secrets.yaml"

    @property
    def logins(self) -> Path:
        """Its folder for the `config.json` of Docker."""
        return self.work / "docker"

    @property
    def certificates(self) -> Path:
        """Its file for the certificates that count."""
        return self.work / "ca.pem"

    @property
    def report(self) -> Path:
        """Where it writes its report."""
        return self.work / "report.json"

    @property
    def sbom(self) -> Path:
        """The SBOM it reads in an image's place; the name tells it that this is one."""
        return self.work / "sbom.cdx.json"

    @property
    def artifact(self) -> Path:
        """Where it writes what is to be kept."""
        return self.work / "artifact.json"


@contextmanager
def slot(folder: Path, database: Path | None, java: Path | None = None) -> Iterator[Slot]:
    """Take a cache folder that nobody uses, made where all are taken.

    Caches are kept, so that a base image's layers are read once and not at every scan. The
    lock is the operating system's: it ends with its process, however that ends.

    Args:
        folder: Where the slots stand; shared by processes.
        database: The snapshot the slot's `db` is to be; None for no database.
        java: Folder of the database for Java archives, where there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock, name = _free(folder)
    work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
    try:
        taken = Slot(folder / name, work)
        _furnish(taken, {"db": database, "java-db": java})
        yield taken
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.release()


def _free(folder: Path) -> tuple[FileLock, str]:
    for number in itertools.count():
        lock = FileLock(folder / f"{number}.lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        _sweep(folder, f"{number}-")
        return lock, str(number)
    raise AssertionError  # count() does not end


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what a killed process left in the slot that is now ours."""
    for left in folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)


def _forget_much(known: Path) -> None:
    """Begin anew with what is known of layers once it is much: Trivy forgets none by itself."""
    if known.is_file() and known.stat().st_size > _MOST_KNOWN:
        known.unlink()


def _furnish(place: Slot, databases: Mapping[str, Path | None]) -> None:
    for path in (place.cache, place.empty, place.temporary):
        path.mkdir(parents=True, exist_ok=True)
    _forget_much(place.cache / "fanal" / "fanal.db")
    place.nothing.touch()
    place.secret_rules.write_text("{}\n")
    for name, folder in databases.items():
        link = place.cache / name
        link.unlink(missing_ok=True)
        if folder is not None and folder.is_dir():
            link.symlink_to(folder.resolve(), target_is_directory=True)
