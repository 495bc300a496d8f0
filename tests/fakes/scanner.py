"""A scanner that answers from a table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from bot.errors import RefitError, ScanError
from bot.model.artifact import Artifact, ArtifactKind
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Database, Scan
from bot.ports import Artifacts, ScanRequest

DATABASE: Final = Database("sha256:" + "d" * 64, datetime(2026, 11, 1, tzinfo=UTC), 2)


@dataclass
class FakeScanner:
    """Answers with the scan, or raises the error, found under the subject.

    Attributes:
        answers: Subject → its scan, or the error to raise.
        otherwise: Makes the answer for a subject that is not in the table; without it, that fails.
        snapshot: The database every answer carries.
        scanned: Every request, in order.
        version: Its identity.
        broken: What every use raises, where its database is too old.
        artifacts: Where the SBOM of an image is kept: here, its name.
    """

    answers: Mapping[str, Scan | RefitError] = field(default_factory=dict)
    otherwise: Callable[[ScanRequest], Scan | RefitError] | None = None
    snapshot: Database = DATABASE
    scanned: list[ScanRequest] = field(default_factory=list)
    version: str = "trivy 0.0.0"
    broken: ScanError | None = None
    artifacts: Artifacts | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def identity(self) -> str:
        return self.version

    def database(self) -> Database:
        if self.broken is not None:
            raise self.broken
        return self.snapshot

    def scan(self, request: ScanRequest) -> Scan:
        with self._lock:
            self.scanned.append(request)
        scan = self._answer(request.subject, self.otherwise(request) if self.otherwise else None)
        artifacts = self._kept(scan) if request.keep else ()
        return replace(scan, artifacts=artifacts)

    def scan_sbom(self, subject: str, sbom: bytes) -> Scan:
        """Answer as for the image that the SBOM was made of."""
        request = ScanRequest(sbom.decode(), remote=True, digest="", platform=LINUX_AMD64)
        scan = self._answer(request.subject, self.otherwise(request) if self.otherwise else None)
        return replace(scan, subject=subject, from_sbom=True)

    def _kept(self, scan: Scan) -> tuple[Artifact, ...]:
        if self.artifacts is None:
            return ()
        data = scan.subject.encode()
        return tuple(self.artifacts.put(kind, data) for kind in ArtifactKind)

    def _answer(self, subject: str, otherwise: Scan | RefitError | None) -> Scan:
        answer = self.answers.get(subject, otherwise)
        if answer is None:
            hint = "The digest was removed from the registry, or the platform is not there."
            raise ScanError(f"Trivy could not scan {subject}: there is no such image", hint=hint)
        if isinstance(answer, RefitError):
            raise answer
        return replace(answer, subject=subject, scanner=self.identity(), database=self.snapshot)
