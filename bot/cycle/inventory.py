"""The SBOMs at hand: of which image of which target, and on which base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.cycle.bases import platform_image
from bot.cycle.discover import in_file
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_sbom_scan
from bot.cycle.told import begin_telling
from bot.errors import RefitError
from bot.model.artifact import ArtifactKind, Sbom
from bot.model.evidence import Evidence
from bot.model.manifest import Platform
from bot.model.run import Planned
from bot.model.target import Target
from bot.model.vulnerability import Scan
from bot.ports import Checkout


def subject_of(target: Target) -> str:
    """What SBOMs of a target's image are kept under."""
    return f"{target.project}#{target.name}"


def last_key(digest: str) -> str:
    """What the newest scan of an SBOM is stored under."""
    return f"sbom {digest}"


def record_sboms(planned: Planned, evidence: Sequence[Evidence], checkout: Checkout, parts: Parts) -> None:
    """Remember the SBOMs of both sides, so that the daily rescan finds that of what is in use.

    Each is scanned once at the start: what becomes known later is told from that, and never from the scan
    of the image, which sees more than its SBOM says. What fails here costs no proof: the rescan tries again.
    """
    if planned.target is None:
        return
    subject = subject_of(planned.target)
    for one in evidence:
        for side in (one.before, one.after):
            digest = sbom_of(side.scan) if side and side.build else None
            if side is None or digest is None:
                continue
            try:
                base = _stands_on(planned, planned.target, one.platform, checkout, parts) or side.base
                remember(Sbom(subject, str(one.platform), base, digest, one.started), parts)
            except RefitError as error:
                parts.progress.detail(f"{subject}: its SBOM could not be scanned: {error.message}")


def _stands_on(
    planned: Planned, target: Target, platform: Platform, checkout: Checkout, parts: Parts
) -> str | None:
    """The base of the final stage, where the update moves that of another one; None where it moves this.

    Raises:
        RefitError: The Dockerfile or the image cannot be read.
    """
    if planned.use.final:
        return None
    only = replace(planned.project, targets=(target,))
    found = in_file(only, target.dockerfile, checkout.read(target.dockerfile), parts.policy.custom)
    base = next((one.use.reference for one in found if one.use.final and one.use.reference), None)
    return platform_image(parts, base, platform).reference if base else None


def remember(sbom: Sbom, parts: Parts) -> None:
    """Remember one SBOM, with a scan to tell later ones from.

    Raises:
        ScanError: That scan did not finish.
        StoreError: The SBOM is gone.
    """
    parts.store.save_sbom(sbom)
    if parts.store.scan(last_key(sbom.digest)) is None:
        first = cached_sbom_scan(sbom.subject or sbom.base, sbom.digest, parts)
        parts.store.save_scan(last_key(sbom.digest), first, parts.clock.now())
        begin_telling(sbom.digest, first, parts.store, parts.clock.now())


def sbom_of(scan: Scan) -> str | None:
    """The digest of the SBOM kept of a scan, or None."""
    return next((one.digest for one in scan.artifacts if one.kind is ArtifactKind.SBOM), None)
