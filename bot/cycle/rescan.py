"""Rescan: one target or image, now, with the difference to its last scan."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.cycle.bases import platform_image
from bot.cycle.compare import compare
from bot.cycle.discover import discover
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_scan
from bot.errors import UsageError
from bot.model.reference import Reference
from bot.model.target import Target
from bot.model.vulnerability import Comparison, Finding, Scan
from bot.ports import BuildRequest, ScanRequest

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Rescan:
    """What a rescan found.

    Attributes:
        subject: What was asked for.
        how: What was scanned: the image's digest, or a fresh build.
        scan: The new scan.
        comparison: The difference to the last one; None at the first.
        seconds: How long it took.
    """

    subject: str
    how: str
    scan: Scan
    comparison: Comparison | None
    seconds: float


def targets(parts: Parts) -> tuple[Target, ...]:
    """Every target of every project, configured or found."""
    found: dict[tuple[str, str], Target] = {}
    for project in parts.projects:
        checkout = parts.forge(project).checkout(project)
        for one in discover(project, checkout, parts.policy.custom).found:
            if one.target is not None:
                found[one.target.project, one.target.name] = one.target
    return tuple(found.values())


def rescan(parts: Parts, name: str) -> Rescan:
    """Scan a target (its published image, else built afresh) or any image with the newest database.

    Raises:
        UsageError: There is no such target, and it is no image reference.
        RefitError: The image, the build or the scan failed.
    """
    started = parts.clock.monotonic()
    target = next((one for one in targets(parts) if one.name == name), None)
    how, scan = _scan_target(parts, target) if target else _scan_image(parts, name)
    key = f"last {hashlib.sha256(name.encode()).hexdigest()}"
    last = parts.store.scan(key)
    comparison = _difference(last, scan) if last else None
    parts.store.save_scan(key, scan)
    return Rescan(name, how, scan, comparison, parts.clock.monotonic() - started)


def _difference(last: Scan, scan: Scan) -> Comparison:
    """Without the Dockerfile's history at hand, a package that moved is the image's doing."""
    return compare(last, scan, base_before=last.diff_ids, base_after=scan.diff_ids)


def _scan_target(parts: Parts, target: Target) -> tuple[str, Scan]:
    if target.image is not None:
        return _scan_image(parts, str(target.image))
    return _build_and_scan(parts, target)


def _scan_image(parts: Parts, text: str) -> tuple[str, Scan]:
    try:
        reference = Reference.parse(text)
    except ValueError as error:
        raise UsageError(f"there is no target {text!r}, and it is no image: {error}") from error
    image = platform_image(parts, reference, parts.platform)
    request = ScanRequest(image.reference, remote=True, digest=image.digest, platform=parts.platform)
    return image.reference, cached_scan(request, parts)


def _build_and_scan(parts: Parts, target: Target) -> tuple[str, Scan]:
    if parts.builder is None:
        raise UsageError(f"{target.name} must be built to be scanned: {parts.no_builder}")
    project = next(one for one in parts.projects if one.name == target.project)
    checkout = parts.forge(project).checkout(project)
    name = f"refit-rescan-{checkout.commit[:12]}"
    with tempfile.TemporaryDirectory(prefix="refit-") as folder:
        root = Path(folder)
        checkout.export(root)
        try:
            build = parts.builder.build(_request(target, root, name, parts))
            request = ScanRequest(build.image, remote=False, digest=build.image, platform=parts.platform)
            return f"built from {checkout.commit[:12]}", cached_scan(request, parts)
        finally:
            parts.builder.remove(name)


def _request(target: Target, root: Path, name: str, parts: Parts) -> BuildRequest:
    return BuildRequest(
        context=root / target.context,
        dockerfile=root / target.dockerfile,
        name=name,
        args=target.args,
        stage=target.stage,
        platform=parts.platform,
    )


def summary(result: Rescan) -> str:
    """A rescan in a few lines of plain text, for chat and terminal."""
    counts = ", ".join(f"{n} {severity.lower()}" for severity, n in result.scan.counts().items() if n)
    known = counts or "no known vulnerabilities"
    if not result.scan.supported:
        known = "vulnerabilities unknown: the scanner has no data for this distribution"
    return "\n".join(
        [f"{result.subject}: {known}", *_changes(result), f"{result.how} · {result.seconds:.1f} s"]
    )


def _changes(result: Rescan) -> Sequence[str]:
    comparison = result.comparison
    if comparison is None:
        return ["First scan: nothing to compare with."]
    if not (comparison.fixed or comparison.introduced):
        return ["Nothing changed since the last scan."]
    pairs = (("Fixed", comparison.fixed), ("New", comparison.introduced))
    return [_change_line(word, findings) for word, findings in pairs if findings]


def _change_line(word: str, findings: Sequence[Finding]) -> str:
    ids = [f"{one.vulnerability.id} ({one.vulnerability.package.name}, {one.cause})" for one in findings]
    more = " …" if len(ids) > _SHOWN else ""
    return f"{word} since the last scan: {len(ids)}: {', '.join(ids[:_SHOWN])}{more}"
