"""Scanning with Trivy: one program run a scan, closed in, against one database snapshot."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot import process
from bot.errors import ProcessFailed, ScanError
from bot.model.reference import Reference
from bot.model.vulnerability import Database, Scan
from bot.ports import ScanRequest
from bot.scanner.binary import Binary, check_binary, find_binary
from bot.scanner.database import DatabaseSettings, Snapshot, take_snapshot
from bot.scanner.failures import JavaDatabaseMissing, explain
from bot.scanner.parse import Context, parse
from bot.scanner.slots import Slot, slot

_REPORT_LIMIT: Final = 512 * 1024**2
_DOWNLOAD_SECONDS: Final = 900.0
_MARGIN_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """How Trivy is run.

    Attributes:
        folder: Where snapshots and the scans' own caches stand.
        database: Where the database comes from.
        path: The binary, or None to find it.
        docker_host: Engine to read images from; empty leaves it to Trivy's default.
        docker_config: Folder with the `config.json` that holds registry logins, or None.
        mirrors: Registry → `http(s)://HOST[:PORT]` that serves it, as with an engine's mirror.
        insecure: Registries spoken to without (valid) TLS; loopback ones need no entry.
        ignore_file: Trivy's ignore file, or None.
        vex: OpenVEX and CSAF documents.
        severity_sources: Whose severity counts, in order; the distribution's own first.
        seconds: Time limit of one scan.
        memory: Soft limit of one scan's memory in bytes.
    """

    folder: Path
    database: DatabaseSettings
    path: Path | None = None
    docker_host: str = ""
    docker_config: Path | None = None
    mirrors: Mapping[str, str] = field(default_factory=dict)
    insecure: frozenset[str] = frozenset()
    ignore_file: Path | None = None
    vex: tuple[Path, ...] = ()
    severity_sources: tuple[str, ...] = ("auto",)
    seconds: float = 600.0
    memory: int = 2 * 1024**3


class TrivyScanner:
    """The `Scanner` port on the Trivy command. Safe to call from several threads.

    Args:
        settings: How it is run.
        now: Wall time, for the age of the database.
    """

    def __init__(
        self, settings: ScannerSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings, self._now = settings, now
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def binary(self) -> Binary:
        """The binary that runs, checked by its bytes; raises `ScannerRefused` for one that must not."""
        return check_binary(find_binary(self._settings.path))

    def identity(self) -> str:
        """Name and version: `trivy 0.74.0`, and what hides findings: `, ignoring by 1f0c2a9b`.

        All that changes what a scan finds, beside the image and the database, is in it.
        """
        ignored = self.ignore_digest()
        return self.binary().identity + (f", ignoring by {ignored[:8]}" if ignored else "")

    def database(self) -> Database:
        """The one snapshot of this scanner's life; taken at the first call."""
        return self.snapshot().database

    def snapshot(self) -> Snapshot:
        """The snapshot itself, with a note where it is not the newest database.

        Raises:
            ScanError: There is no database, or it is too old: no scan runs then.
        """
        with self._lock:
            if self._snapshot is None:
                folder = self._settings.folder / "databases"
                self._snapshot = take_snapshot(self._settings.database, folder, self._download, self._now())
            return self._snapshot

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
        """
        try:
            return self._scanned(request)
        except JavaDatabaseMissing:
            if self._settings.database.offline:
                raise
            self._download_java()
            return self._scanned(request)

    def _scanned(self, request: ScanRequest) -> Scan:
        binary, snapshot = self.binary(), self.snapshot()
        java = self._settings.database.cache / "java-db"
        with slot(self._settings.folder / "slots", snapshot.folder, java) as place:
            log = self._run(binary, request, place)
            document = _report(place.report, request.subject)
        return parse(document, Context(request.subject, self.identity(), snapshot.database, log))

    def _run(self, binary: Binary, request: ScanRequest, place: Slot) -> str:
        argv = [str(binary.path), *self._arguments(request, place)]
        timeout = self._settings.seconds + _MARGIN_SECONDS
        try:
            finished = process.run(
                argv, timeout=timeout, cwd=place.empty, env=self._environment(place), limit=2**24
            )
        except ProcessFailed as error:
            raise explain(error, request.subject, self._settings.seconds) from error
        return finished.stderr.decode(errors="replace")

    def _arguments(self, request: ScanRequest, place: Slot) -> list[str]:
        settings = self._settings
        ignore = settings.ignore_file.resolve() if settings.ignore_file else place.nothing
        return [
            *("image", "--config", str(place.nothing), "--cache-dir", str(place.cache), "--no-progress"),
            *("--skip-db-update", "--skip-java-db-update", "--skip-check-update", "--skip-vex-repo-update"),
            *("--skip-version-check", "--disable-telemetry", "--offline-scan", "--scanners", "vuln"),
            *("--list-all-pkgs", "--show-suppressed", "--ignorefile", str(ignore)),
            *("--secret-config", str(place.nothing), "--module-dir", str(place.empty)),
            *("--vuln-severity-source", ",".join(settings.severity_sources)),
            *(word for path in settings.vex for word in ("--vex", str(path.resolve()))),
            *("--timeout", f"{settings.seconds:.0f}s", "--format", "json", "--output", str(place.report)),
            *self._source(request),
        ]

    def _source(self, request: ScanRequest) -> list[str]:
        if not request.remote:
            return ["--image-src", "docker", "--", request.subject]
        name, insecure = _located(request.subject, self._settings.mirrors, self._settings.insecure)
        flags = ["--insecure"] if insecure else []
        return ["--image-src", "remote", "--platform", str(request.platform), *flags, "--", name]

    def _environment(self, place: Slot) -> dict[str, str]:
        """Nothing of the caller's but what finds programs and certificates: no TRIVY_*, no token."""
        extra = {"HOME": str(place.empty), "TMPDIR": str(place.temporary)}
        extra["GOMEMLIMIT"] = str(self._settings.memory)
        if self._settings.docker_host:
            extra["DOCKER_HOST"] = self._settings.docker_host
        if self._settings.docker_config:
            extra["DOCKER_CONFIG"] = str(self._settings.docker_config)
        return process.environment(**extra)

    def _download(self) -> None:
        """Let Trivy bring its database up to date; it does nothing while the one it has is recent."""
        names = self._settings.database.repositories
        self._fetch("--download-db-only", [word for name in names for word in ("--db-repository", name)])

    def _download_java(self) -> None:
        """Fetch the database for Java archives; it is large, so only when an image needs it.

        Raises:
            ScanError: It could not be had.
        """
        names = self._settings.database.java_repositories
        words = [word for name in names for word in ("--java-db-repository", name)]
        try:
            with self._lock:
                self._fetch("--download-java-db-only", words)
        except ProcessFailed as error:
            raise ScanError(
                f"the database for Java archives could not be had: {error.message}",
                hint="Allow access to its repository, or copy a java-db/ folder into the database folder.",
            ) from error

    def _fetch(self, what: str, repositories: list[str]) -> None:
        cache = self._settings.database.cache
        cache.mkdir(parents=True, exist_ok=True)
        with slot(self._settings.folder / "slots", None) as place:
            argv = [
                *(str(self.binary().path), "image", what, "--no-progress", "--config", str(place.nothing)),
                *("--cache-dir", str(cache), "--skip-version-check", "--disable-telemetry", *repositories),
            ]
            env = self._environment(place)
            process.run(argv, timeout=_DOWNLOAD_SECONDS, cwd=place.empty, env=env, limit=2**24)


def _located(subject: str, mirrors: Mapping[str, str], insecure: frozenset[str]) -> tuple[str, bool]:
    """Where a remote image is read: its mirror where there is one, and whether without TLS.

    Trivy knows no mirrors, so the mirror's host takes the registry's place in the name.
    """
    try:
        reference = Reference.parse(subject)
    except ValueError as error:
        raise ScanError(f"cannot scan {subject[:200]!r}: {error}") from error
    mirror = mirrors.get(reference.registry)
    scheme, _, host = mirror.rpartition("://") if mirror else ("", "", reference.registry)
    name = reference.canonical.replace(reference.registry, host.rstrip("/"), 1)
    return name, scheme == "http" or reference.registry in insecure or _loopback(host)


def _loopback(host: str) -> bool:
    return host.startswith(("127.", "localhost", "[::1]"))


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
