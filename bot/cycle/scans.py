"""Scans, each done once."""

from __future__ import annotations

from bot.cycle.keys import scan_key
from bot.cycle.parts import Parts
from bot.model.vulnerability import Scan
from bot.ports import ScanRequest


def cached_scan(request: ScanRequest, parts: Parts) -> Scan:
    """Scan once for each image, platform, scanner and database, for ever.

    Raises:
        ScanError: The scan did not finish; nothing is stored.
    """
    scanner, store = parts.scanner, parts.store
    key = scan_key(request.digest, str(request.platform), scanner.identity(), scanner.database())
    if (known := store.scan(key)) is not None:
        return known
    scan = scanner.scan(request)
    store.save_scan(key, scan)
    return scan
