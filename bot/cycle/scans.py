"""Scans, each done once."""

from __future__ import annotations

from bot.cycle.keys import sbom_key, scan_key
from bot.cycle.parts import Parts
from bot.model.vulnerability import Scan
from bot.ports import ScanRequest


def cached_scan(request: ScanRequest, parts: Parts) -> Scan:
    """Scan once for each image, platform, scanner and database, for as long as its artifacts are kept.

    Raises:
        ScanError: The scan did not finish; nothing is stored.
    """
    scanner, store = parts.scanner, parts.store
    key = scan_key(request, scanner.identity(), scanner.database())
    known = store.scan(key)
    if known is not None and _whole(known, parts):
        return known
    scan = scanner.scan(request)
    store.save_scan(key, scan, parts.clock.now())
    return scan


def cached_sbom_scan(subject: str, digest: str, parts: Parts) -> Scan:
    """Scan a kept SBOM once for each scanner and database.

    Raises:
        ScanError: The scan did not finish; nothing is stored.
        StoreError: The SBOM is gone.
    """
    scanner, store = parts.scanner, parts.store
    key = sbom_key(digest, scanner.identity(), scanner.database())
    if (known := store.scan(key)) is not None:
        return known
    scan = scanner.scan_sbom(subject, parts.artifacts.get(digest))
    store.save_scan(key, scan, parts.clock.now())
    return scan


def _whole(scan: Scan, parts: Parts) -> bool:
    """False where an artifact was cleaned away meanwhile: a link to it would lead nowhere."""
    return all(parts.artifacts.has(one.digest) for one in scan.artifacts)
