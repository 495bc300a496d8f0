"""Compare two images, whatever they are: references, archives, Dockerfiles, or images in the engine.

Two Dockerfiles are built together and cold, both images are scanned with one database: the
numbers differ by what the images are, not by when they were looked at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bot.cycle import about_builds
from bot.cycle.bases import platform_image
from bot.cycle.building import build
from bot.cycle.compare import KnownBase, compare
from bot.cycle.layer_growth import with_growth, without_files
from bot.cycle.parts import Parts
from bot.cycle.scans import cached_scan
from bot.cycle.workspace import Workspace, workspace
from bot.errors import EngineMissing
from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import Build
from bot.model.reference import Reference
from bot.model.vulnerability import Comparison
from bot.ports import Builder, BuildRequest, ScanRequest


@dataclass(frozen=True, slots=True)
class Published:
    """An image in its registry."""

    name: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class InEngine:
    """An image that the engine has; `image` is its name there, or its id."""

    name: str
    image: str


@dataclass(frozen=True, slots=True)
class Archive:
    """A docker-save tar or an OCI layout folder; `build` is what is in it."""

    name: str
    path: Path
    build: Build


@dataclass(frozen=True, slots=True)
class Source:
    """A Dockerfile to be built.

    Attributes:
        name: As a person wrote it.
        dockerfile: Its path.
        context: Folder of the build context.
        args: Build arguments, in order.
        stage: Target stage, or None for the last.
    """

    name: str
    dockerfile: Path
    context: Path
    args: tuple[tuple[str, str], ...] = ()
    stage: str | None = None


Subject = Published | InEngine | Archive | Source


def compare_images(parts: Parts, before: Subject, after: Subject) -> ImageComparison:
    """Measure both at the same time, and compare.

    Raises:
        BuildFailed: A Dockerfile does not build.
        RefitError: An image cannot be had, or a scan did not finish.
    """
    started = parts.clock.monotonic()
    with workspace(parts, "compare") as room, ThreadPoolExecutor(2) as pool:
        parts.progress.step(f"measure {before.name} and {after.name}")
        first = pool.submit(_measure, parts, before, room, "before")
        second = pool.submit(_measure, parts, after, room, "after")
        facts = _grown(first.result(), second.result())
    return ImageComparison(
        before=facts[0],
        after=facts[1],
        platform=parts.platform,
        comparison=difference(*facts),
        seconds=parts.clock.monotonic() - started,
        notes=about_builds.notes(one.build for one in facts),
    )


def difference(before: ImageFacts, after: ImageFacts) -> Comparison | None:
    """How two scans differ; None where one of them knows too little."""
    if not (before.scan.supported and after.scan.supported):
        return None
    bases = KnownBase(before.scan.diff_ids), KnownBase(after.scan.diff_ids)
    return compare(before.scan, after.scan, *bases)


def _grown(before: ImageFacts, after: ImageFacts) -> tuple[ImageFacts, ImageFacts]:
    if before.build is None or after.build is None:
        return before, after
    grown = without_files(with_growth(before.build, after.build))
    return replace(before, build=without_files(before.build)), replace(after, build=grown)


def _measure(parts: Parts, subject: Subject, room: Workspace, side: str) -> ImageFacts:
    match subject:
        case Published():
            return _published(parts, subject)
        case Archive():
            return _looked_into(parts, subject.name, "from an archive", subject.build, archive=subject.path)
        case InEngine():
            found = _builder(parts, subject.name).measure(subject.image)
            return _looked_into(parts, subject.name, "from the engine", found)
        case Source():
            _builder(parts, subject.name)
            built = build(parts, _request(parts, subject, f"{room.name}-{side}", room))
            facts = _looked_into(parts, subject.name, "built", built)
            return replace(facts, build_seconds=built.seconds)


def _published(parts: Parts, subject: Published) -> ImageFacts:
    image = platform_image(parts, subject.reference, parts.platform)
    request = ScanRequest(image.reference, remote=True, digest=image.digest, platform=parts.platform)
    scan = cached_scan(request, parts)
    how = f"from its registry ({image.digest})"
    return ImageFacts(subject.name, how, scan, scan.size, image.pushed_size, len(image.diff_ids))


def _looked_into(
    parts: Parts, name: str, how: str, build: Build, *, archive: Path | None = None
) -> ImageFacts:
    image = build.image
    request = ScanRequest(image, remote=False, digest=image, platform=parts.platform, archive=archive)
    scan = cached_scan(request, parts)
    return ImageFacts(name, how, scan, build.size, build.pushed_size, len(build.layers), build)


def _builder(parts: Parts, name: str) -> Builder:
    if parts.builder is None:
        raise EngineMissing(
            f"{name} needs a container engine: {parts.no_builder}",
            hint="Start one, or compare references and archives, which need none.",
        )
    return parts.builder


def _request(parts: Parts, subject: Source, name: str, room: Workspace) -> BuildRequest:
    return BuildRequest(
        context=subject.context,
        dockerfile=subject.dockerfile,
        name=name,
        args=subject.args,
        stage=subject.stage,
        platform=parts.platform,
        seconds=parts.policy.build_seconds,
        scratch=room.folder,
    )
