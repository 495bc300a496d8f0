"""What was told of SBOMs, and to whom: what is news follows from that, never from what was scanned last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.model.sboms import Audience, SbomRescan
from bot.model.vulnerability import Scan
from bot.ports import Store

_ANYBODY: Final = ""


def last_told(digest: str, name: str, audience: Audience, store: Store) -> Scan | None:
    """What an audience was told last of a target's SBOM.

    Before its first time that is what anybody was told of the SBOM, or what was known when it was made.
    """
    return store.told(digest, audience, name) or store.told(digest, _ANYBODY, _ANYBODY)


def begin_telling(digest: str, first: Scan, store: Store, now: datetime) -> None:
    """Note what was known when an SBOM was made: its proof or its first rescan tells that."""
    if store.told(digest, _ANYBODY, _ANYBODY) is None:
        store.save_told(digest, _ANYBODY, _ANYBODY, _listed(first), now)


def mark_told(result: SbomRescan, audience: Audience, store: Store, now: datetime) -> None:
    """Note that a rescan was told; to be called after the telling."""
    for one in result.rescanned:
        if not one.scan.supported:  # nothing is known today: what was known stays told
            continue
        scan = _listed(replace(one.scan, vulnerabilities=tuple(known.vulnerability for known in one.known)))
        store.save_told(one.sbom.digest, audience, one.name, scan, now)
        store.save_told(one.sbom.digest, _ANYBODY, _ANYBODY, scan, now)


def _listed(scan: Scan) -> Scan:
    """What is known of it; its packages are in the SBOM itself."""
    return replace(scan, packages=())
