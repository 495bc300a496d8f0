"""Rescans of an image that has not changed: from its SBOM, so that nothing is pulled a second time.

Two scans of one SBOM are compared, for a scan of the image sees more than its SBOM says. They are kept apart
from those of the daily rescan: what that has to tell is not taken from it by somebody's question.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.cycle.inventory import sbom_of
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_sbom_scan
from bot.errors import RefitError
from bot.model.vulnerability import Scan


@dataclass(frozen=True, slots=True)
class Again:
    """Two scans of one SBOM: when somebody asked last, and now."""

    before: Scan
    now: Scan


def rescan_unchanged(parts: Parts, last: Scan | None, image: str) -> Again | None:
    """Scan the SBOM of what was scanned last, where it is the same image and the database is a newer one.

    Args:
        parts: The collaborators.
        last: The image's last scan.
        image: The image now, with its digest.

    Returns:
        None where the image itself must be scanned: another image, the same database, or no SBOM.
    """
    if last is None or last.subject != image or last.database == parts.scanner.database():
        return None
    digest = sbom_of(last)
    before = parts.store.scan(_key(digest)) if digest else None
    if digest is None or before is None or not parts.artifacts.has(digest):
        return None
    now = cached_sbom_scan(image, digest, parts)
    parts.store.save_scan(_key(digest), now, parts.clock.now())
    return Again(before, now)


def remember_sbom(parts: Parts, scan: Scan) -> None:
    """Scan the SBOM of a scanned image, to tell the next rescan from; a failure costs only that."""
    digest = sbom_of(scan)
    if digest is None:
        return
    try:
        parts.store.save_scan(_key(digest), cached_sbom_scan(scan.subject, digest, parts), parts.clock.now())
    except RefitError as error:
        parts.progress.detail(f"its SBOM could not be scanned: {error.message}")


def _key(digest: str) -> str:
    return f"asked sbom {digest}"[:100]
