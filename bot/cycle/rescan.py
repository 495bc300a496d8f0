"""Rescan: one target or image, now, with the difference to its last scan."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.cycle.baselines import Built, record_rescan
from bot.cycle.bases import platform_image
from bot.cycle.building import build
from bot.cycle.compare import KnownBase, compare
from bot.cycle.discover import discover
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_scan
from bot.cycle.unchanged import remember_sbom, rescan_unchanged
from bot.cycle.workspace import Workspace, inside, workspace
from bot.errors import EngineMissing, RefitError, UsageError
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.run import Problem, Rescan
from bot.model.target import Project, Target
from bot.model.vulnerability import Comparison, Scan
from bot.ports import BuildRequest, Checkout, ScanRequest

# A target's name has none of these; `#` stands between project and target where two share a name.
_IMAGE_MARKS: Final = "/:@"
_OF: Final = "#"


@dataclass(frozen=True, slots=True)
class _Scanned:
    """A scan, what it is kept under, and what was scanned in words.

    Attributes:
        name: What it is kept under.
        how: What was scanned.
        scan: The scan.
        before: What it is compared with, where that is not the last scan of this name.
    """

    name: str
    how: str
    scan: Scan
    before: Scan | None = None


def rescan(parts: Parts, subject: str | Target, *, afresh: bool = False, commit: str | None = None) -> Rescan:
    """Scan a target (its published image, else built afresh) or any image with the newest database.

    Args:
        parts: The collaborators.
        subject: A target, by name or as it is; `project#target` where several projects have one of that
            name; or an image.
        afresh: Build the target, also where it has a published image.
        commit: Build it at this commit of a pull request; its scan is compared with the last one of what is
            under care, and is not itself kept as that.

    Raises:
        UsageError: There is no such target, and it is no image reference.
        RefitError: The image, the build or the scan failed.
    """
    started = parts.clock.monotonic()
    name = full_name(subject) if isinstance(subject, Target) else subject
    target = subject if isinstance(subject, Target) else target_named(parts, subject)
    parts.progress.step(f"scan {name}")
    scanned = _scan_target(parts, target, afresh, commit) if target else _scan_image(parts, name)
    last = scanned.before or parts.store.scan(_last_key(scanned.name))
    comparison = _difference(last, scanned.scan) if last else None
    if commit is None and scanned.before is None:
        parts.store.save_scan(_last_key(scanned.name), scanned.scan, parts.clock.now())
    return Rescan(name, scanned.how, scanned.scan, last, comparison, parts.clock.monotonic() - started)


def _last_key(name: str) -> str:
    return f"last {hashlib.sha256(name.encode()).hexdigest()}"


def _difference(last: Scan, scan: Scan) -> Comparison | None:
    """What differs; without the Dockerfile's history at hand, a package that moved is the image's doing."""
    if not (last.supported and scan.supported):
        return None
    return compare(last, scan, KnownBase(last.diff_ids), KnownBase(scan.diff_ids))


def target_named(parts: Parts, name: str) -> Target | None:
    """The target of this name, or None where it must be an image.

    Raises:
        UsageError: Several projects have such a target, or the name is a typing mistake of one.
    """
    project, mark, wanted = name.rpartition(_OF)
    if not mark and any(one in name for one in _IMAGE_MARKS):
        return None
    targets, unread = all_targets(parts)
    named = [one for one in targets if one.name == wanted and project in ("", one.project)]
    if len(named) > 1:
        choices = ", ".join(f"{one.project}{_OF}{one.name}" for one in named)
        raise UsageError(f"several projects have a target {name!r}", hint=f"Say which: {choices}.")
    if not named and (mark or _looks_mistyped(wanted, targets) or unread):
        dark = "".join(f"; {one.subject} could not be looked into: {one.error}" for one in unread)
        raise UsageError(f"there is no target {name!r}{dark}", hint=_hint(wanted, targets))
    return named[0] if named else None


def all_targets(parts: Parts) -> tuple[tuple[Target, ...], tuple[Problem, ...]]:
    """Every target, configured or found, and which projects could not be looked into."""
    found: dict[tuple[str, str], Target] = {}
    unread = list(parts.problems)
    for project in parts.projects:
        found |= {(project.name, one.name): one for one in project.targets}
        try:
            discovery = discover(project, parts.forge(project).checkout(project), parts.policy.custom)
        except RefitError as error:
            unread.append(Problem(project.name, error.message, error.hint))
            continue
        used = [one.target for one in discovery.found if one.target is not None]
        found |= {(project.name, one.name): one for one in used}
    return tuple(found.values()), tuple(unread)


def _looks_mistyped(name: str, targets: Iterable[Target]) -> bool:
    return bool(difflib.get_close_matches(name, [one.name for one in targets], n=1))


def _hint(name: str, targets: Sequence[Target]) -> str:
    names = sorted({one.name for one in targets})
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(names) or 'none'}."
    return f"{meant} An image is written with its tag, as in debian:12."


def full_name(target: Target) -> str:
    """What names a target among all projects' ones: `acme/shop#backend`."""
    return f"{target.project}{_OF}{target.name}"


def _scan_target(parts: Parts, target: Target, afresh: bool, commit: str | None) -> _Scanned:  # noqa: FBT001 - passed on
    name = full_name(target)
    if target.image is None or afresh or commit:
        return _build_and_scan(parts, target, name, commit)
    return _scan_image(parts, str(target.image), _platform(parts, target), name)


def _platform(parts: Parts, target: Target) -> Platform:
    """What this machine starts, where the target is made for it."""
    return parts.platform if parts.platform in target.platforms else target.platforms[0]


def _scan_image(parts: Parts, text: str, platform: Platform | None = None, name: str = "") -> _Scanned:
    try:
        reference = Reference.parse(text)
    except ValueError as error:
        raise UsageError(
            f"there is no target {text!r}, and it is no image: {error}",
            hint="Name a target of the configuration, or an image such as debian:12.",
        ) from error
    platform = platform or parts.platform
    image = platform_image(parts, reference, platform)
    name = name or reference.canonical
    last = parts.store.scan(_last_key(name))
    if (again := rescan_unchanged(parts, last, image.reference)) is not None:
        how = f"{image.reference} from its SBOM: the image has not changed"
        return _Scanned(name, how, again.now, again.before)
    request = ScanRequest(image.reference, remote=True, digest=image.digest, platform=platform, keep=True)
    scan = cached_scan(request, parts)
    remember_sbom(parts, scan)
    return _Scanned(name, image.reference, scan)


def _build_and_scan(parts: Parts, target: Target, name: str, commit: str | None) -> _Scanned:
    if parts.builder is None or not target.build:
        why = "the configuration says `build: false`" if parts.builder else parts.no_builder
        raise EngineMissing(
            f"{target.name} must be built to be scanned: {why}",
            hint="Set the target's `image:` to scan what is published, or make an engine available.",
        )
    project = next(one for one in parts.projects if one.name == target.project)
    checkout = parts.forge(project).checkout(project, commit)
    parts.progress.step(f"build {name} at {checkout.commit[:12]}")
    with workspace(parts, "rescan") as room:
        checkout.export(_files(room))
        built = build(parts, _request(target, room, parts))
        request = ScanRequest(
            built.image, remote=False, digest=built.image, platform=_platform(parts, target)
        )
        scan = cached_scan(request, parts)
    base = _base(project, target, checkout, parts)
    record_rescan(Built(target, _platform(parts, target), base, built, scan), parts)
    return _Scanned(name, f"built from {checkout.commit[:12]}", scan)


def _base(project: Project, target: Target, checkout: Checkout, parts: Parts) -> str:
    """The image that the target's final stage stands on, as written; empty where none is named."""
    found = discover(project, checkout, parts.policy.custom).found
    uses = [one.use for one in found if one.target and one.target.name == target.name and one.use.final]
    return next((str(use.reference) for use in uses if use.reference is not None), "")


def _files(room: Workspace) -> Path:
    """Where the commit's files are: beside what the builder writes, for secrets are no part of a context."""
    return room.folder / "files"


def _request(target: Target, room: Workspace, parts: Parts) -> BuildRequest:
    return BuildRequest(
        context=inside(_files(room), target.context),
        dockerfile=inside(_files(room), target.dockerfile),
        name=room.name,
        args=target.args,
        stage=target.stage,
        platform=_platform(parts, target),
        seconds=parts.policy.build_seconds,
        scratch=room.folder,
        secrets=parts.policy.secrets.get(target.project, {}),
    )
