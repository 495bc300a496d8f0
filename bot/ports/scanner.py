"""The vulnerability scanner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.model.manifest import Platform
from bot.model.vulnerability import Database, Scan


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan.

    Attributes:
        subject: A reference with digest (remote), or an image id (engine).
        remote: True to read it from its registry, which needs no engine.
        digest: Digest of the image content, the scan's cache key.
        platform: Which platform of an index.
        keep: Keep its SBOM (CycloneDX) and report (SARIF) as artifacts.
        exposure: Look for secrets, and for mistakes in the image's config, as well.
        archive: A docker-save tar or an OCI layout folder that holds it; then neither registry nor engine
            is asked.
    """

    subject: str
    remote: bool
    digest: str
    platform: Platform
    keep: bool = False
    exposure: bool = False
    archive: Path | None = None


class Scanner(Protocol):
    """A vulnerability scanner. Blocking; raises `ScanError`s; safe to call from several threads."""

    def identity(self) -> str:
        """Name and version, checked against what must not run: `trivy 0.74.0`."""
        ...

    def database(self) -> Database:
        """The one database snapshot of this cycle; taken at the first call."""
        ...

    def scan(self, request: ScanRequest) -> Scan:
        """Scan one image with that snapshot, all packages listed."""
        ...

    def scan_sbom(self, subject: str, sbom: bytes) -> Scan:
        """Scan an SBOM (CycloneDX) with that snapshot: no image is needed, and nothing is asked for one."""
        ...
