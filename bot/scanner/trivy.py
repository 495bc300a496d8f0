"""Scanning with Trivy: one program run a scan, closed in, against one database snapshot."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed, RegistryError, ScanError
from bot.model.artifact import Artifact, ArtifactKind
from bot.model.vulnerability import Database, Scan
from bot.ports import Artifacts, ScanRequest
from bot.scanner import arguments
from bot.scanner.access import AccessTo, anonymous, granted
from bot.scanner.arguments import Source
from bot.scanner.binary import Binary
from bot.scanner.database import Snapshot, take_snapshot
from bot.scanner.failures import ImageNotHad, JavaDatabaseMissing, explain
from bot.scanner.parse import Context, parse
from bot.scanner.runner import Runner
from bot.scanner.settings import ScannerSettings
from bot.scanner.slots import Slot, slot
from bot.scanner.updating import JAVA, update

_REPORT_LIMIT: Final = 512 * 1024**2
_CONVERT_SECONDS: Final = 120.0
_DOWNLOAD_SECONDS: Final = 900.0


class TrivyScanner:
    """The `Scanner` port on the Trivy command. Safe to call from several threads.

    Args:
        settings: How it is run.
        now: Wall time, for the age of the database.
        artifacts: Where SBOMs and reports are kept; None keeps none.
        access: How registries are logged in to.
    """

    def __init__(
        self,
        settings: ScannerSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        artifacts: Artifacts | None = None,
        access: AccessTo = anonymous,
    ) -> None:
        self._settings, self._now, self._artifacts, self._access = settings, now, artifacts, access
        self._runner = Runner(settings)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def binary(self) -> Binary:
        """The binary that runs, checked by its bytes; raises `ScannerRefused` for one that must not."""
        return self._runner.binary()

    def identity(self) -> str:
        """Name and version: `trivy 0.74.0`, and what changes findings: `, ignoring by 1f0c2a9b`.

        All that changes what a scan finds, beside the image and the database, is in it.
        """
        ignored, sources = self.ignore_digest(), self._settings.severity_sources
        hidden = f", ignoring by {ignored[:8]}" if ignored else ""
        by = "" if sources == ("auto",) else f", severity by {' then '.join(sources)}"
        return self.binary().identity + hidden + by

    def database(self) -> Database:
        """The one snapshot of this scanner's life; taken at the first call."""
        return self.snapshot().database

    def snapshot(self) -> Snapshot:
        """The snapshot itself.

        Raises:
            ScanError: There is no database, or it is too old: no scan runs then.
        """
        with self._lock:
            if self._snapshot is None:
                folder = self._settings.folder / "databases"
                download = partial(self._fetch, "db")
                taken = take_snapshot(self._settings.database, folder, download, self._now())
                self._snapshot = self._with_java(taken)
            return self._snapshot

    def _with_java(self, taken: Snapshot) -> Snapshot:
        """Bring the database for Java archives up to date, too, where an image ever needed it."""
        settings = self._settings.database
        if (
            settings.offline
            or not (settings.cache / JAVA.folder).is_dir()
            or not (note := self._update_java())
        ):
            return taken
        notes = (taken.database.note, f"for Java archives, {note}")
        return replace(taken, database=replace(taken.database, note="; ".join(filter(None, notes))))

    def close(self) -> None:
        """Let the snapshot go: others may remove it, and the next one is of a newer database."""
        with self._lock:
            if self._snapshot is not None:
                self._snapshot.hold.release()
                self._snapshot = None

    def ignore_digest(self) -> str:
        """Digest of what hides findings (ignore file, VEX documents), for the scan's key; empty for none."""
        paths = [*([self._settings.ignore_file] if self._settings.ignore_file else []), *self._settings.vex]
        if not paths:
            return ""
        return hashlib.sha256(b"\0".join(_read_setting(path) for path in paths)).hexdigest()

    def scan(self, request: ScanRequest) -> Scan:
        """Scan one image, all packages listed.

        Raises:
            ScanError: It did not finish; the cause and what to do are in the message and hint.
            StoreError: Its artifacts could not be kept.
        """
        try:
            return self._scanned(request)
        except JavaDatabaseMissing:
            if self._settings.database.offline:
                raise
            self._download_java()
            return self._scanned(request)

    def scan_sbom(self, subject: str, sbom: bytes) -> Scan:
        """Scan an SBOM (CycloneDX); raises as `scan` does."""
        with self._slot() as place:
            place.sbom.write_bytes(sbom)
            log = self._run(arguments.sbom(self._settings, place), subject, place)
            return replace(self._parsed(subject, place, log), from_sbom=True)

    def _scanned(self, request: ScanRequest) -> Scan:
        with self._slot() as place:
            log = self._read(request, place)
            scan = self._parsed(request.subject, place, log, exposure=request.exposure)
            kept = tuple(self._keep(request, place)) if request.keep else ()
            return replace(scan, artifacts=kept)

    def _read(self, request: ScanRequest, place: Slot) -> str:
        """Let Trivy read the image where it can be had; gives its log.

        Where no place has it, the registry's own word counts.
        """
        *mirrors, last = arguments.sources(self._settings, request)
        for source in mirrors:
            with suppress(ImageNotHad, RegistryError):
                return self._read_from(source, request, place)
        return self._read_from(last, request, place)

    def _read_from(self, source: Source, request: ScanRequest, place: Slot) -> str:
        argv = arguments.image(self._settings, request, place, source)
        access = self._granted(source.host, place)
        return self._run(argv, request.subject, place, access=access)

    def _granted(self, host: str, place: Slot) -> Mapping[str, str]:
        return granted(self._access(host), host, place) if host else {}

    def _slot(self) -> AbstractContextManager[Slot]:
        java = self._settings.database.cache / "java-db"
        return slot(self._settings.folder / "slots", self.snapshot().folder, java)

    def _parsed(self, subject: str, place: Slot, log: str, *, exposure: bool = False) -> Scan:
        context = Context(subject, self.identity(), self.database(), log, exposure=exposure)
        scan = parse(_report(place.report, subject), context)
        return replace(scan, severity_sources=self._settings.severity_sources)

    def _keep(self, request: ScanRequest, place: Slot) -> list[Artifact]:
        if self._artifacts is None:
            return []
        kept = []
        for kind in ArtifactKind:
            argv = arguments.convert(self._settings, kind, place)
            self._run(argv, request.subject, place, seconds=_CONVERT_SECONDS)
            kept.append(self._artifacts.put(kind, place.artifact.read_bytes()))
        return kept

    def _run(
        self,
        argv: list[str],
        subject: str,
        place: Slot,
        *,
        seconds: float | None = None,
        access: Mapping[str, str] | None = None,
    ) -> str:
        limit = seconds or self._settings.seconds
        try:
            return self._runner.run(argv, place, limit, access)
        except ProcessFailed as error:
            raise explain(error, subject, limit) from error

    def _download_java(self) -> None:
        """Fetch the database for Java archives; it is large, so only when an image needs it.

        Raises:
            ScanError: It could not be had from any repository.
        """
        with self._lock:
            note = self._update_java()
        if note:
            raise ScanError(
                f"the database for Java archives could not be had: {note}",
                hint="Allow access to its repository, or copy a java-db/ folder into the database folder.",
            )

    def _update_java(self) -> str:
        settings = self._settings.database
        return update(
            JAVA, settings.cache, settings.java_repositories, partial(self._fetch, "java-db"), self._now()
        )

    def _fetch(self, what: str, repository: str, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        with slot(self._settings.folder / "slots", None) as place:
            argv = arguments.download(self._settings, what, repository, place, str(cache))
            access = self._granted(arguments.host_of(repository), place)
            self._runner.run(argv, place, _DOWNLOAD_SECONDS, access)


def _read_setting(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScanError(
            f"cannot read {path}: {error.strerror}", hint="Correct scanner.ignore_file or scanner.vex."
        ) from error


def _report(path: Path, subject: str) -> bytes:
    try:
        size = path.stat().st_size
        if size > _REPORT_LIMIT:
            raise ScanError(f"Trivy's report on {subject} has {size} bytes, more than {_REPORT_LIMIT}")
        return path.read_bytes()
    except OSError as error:
        raise ScanError(f"Trivy wrote no report on {subject}: {error.strerror}") from error
