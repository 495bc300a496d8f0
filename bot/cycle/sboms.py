"""Rescan of SBOMs: what became known since yesterday, with no image at hand. Daily.

Two scans of one SBOM are compared, so nothing differs but the database, which is the cause. Where another
scanner was told from last it may be the scanner: that is said, and what is new is told all the same.
A scan of an image is never one of the two. The older one is that which was *told*: the caller tells, then
calls `mark_told`, so that whoever is killed in between tells it when started again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.cycle.bases import base_image
from bot.cycle.compare import compare
from bot.cycle.discover import Found, discover
from bot.cycle.inventory import last_key, remember, sbom_of, subject_of
from bot.cycle.parts import Parts
from bot.cycle.remedies import Remedies
from bot.cycle.scans import cached_sbom_scan, cached_scan
from bot.cycle.told import last_told
from bot.errors import RefitError, RegistryError, ScanError
from bot.model.artifact import Sbom
from bot.model.evidence import BaseImage
from bot.model.manifest import Platform
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.sboms import Audience, Known, Rescanned, SbomRescan
from bot.model.target import Target
from bot.model.vulnerability import Scan, Vulnerability
from bot.ports import ScanRequest


@dataclass(frozen=True, slots=True)
class _Place:
    """A target on one platform, and the image that its Dockerfile stands on."""

    target: Target
    platform: Platform
    reference: Reference

    @property
    def name(self) -> str:
        return subject_of(self.target)


@dataclass(frozen=True, slots=True)
class _Bases:
    """The base that the Dockerfile names, and what its tag names today."""

    held: BaseImage
    today: BaseImage


def rescan_sboms(parts: Parts, audience: Audience) -> SbomRescan:
    """Scan the SBOM of what each target runs on with today's database, and tell what became known.

    Where no build of a target is at hand, the SBOM of its base serves; it is made once, with no engine. One
    target that fails stops no other. `refit serve` calls this once a day, after `observe`;
    `refit rescan --sboms` does by hand.

    Args:
        parts: The collaborators; no builder is needed.
        audience: Who is to be told: new is what it was not told yet.
    """
    begun = parts.clock.monotonic()
    places, problems = _places(parts)
    bases = asyncio.run(_all_bases(places, parts))
    rescanned: list[Rescanned] = []
    scans: dict[str, Scan] = {}
    for place, found in zip(places, bases, strict=True):
        parts.progress.detail(f"{place.name} ({place.platform})")
        try:
            if isinstance(found, RegistryError):
                raise found
            rescanned.append(_rescan(place, found, parts, scans, audience))
        except RefitError as error:
            problems.append(Problem(place.name, error.message, error.hint))
    for digest, scan in scans.items():
        parts.store.save_scan(last_key(digest), scan, parts.clock.now())
    parts.store.use_sboms(scans.keys(), parts.clock.now())
    database = parts.scanner.database() if scans else None
    return SbomRescan(tuple(rescanned), tuple(problems), database, parts.clock.monotonic() - begun)


def _places(parts: Parts) -> tuple[list[_Place], list[Problem]]:
    places: dict[tuple[str, Platform], _Place] = {}
    problems = []
    for project in parts.projects:
        try:
            found = discover(project, parts.forge(project).checkout(project), parts.policy.custom)
        except RefitError as error:
            problems.append(Problem(project.name, error.message, error.hint))
            continue
        for place in _places_of(found.found):
            places.setdefault((place.name, place.platform), place)
    return list(places.values()), problems


def _places_of(found: Iterable[Found]) -> Iterator[_Place]:
    """What each target stands on, by its platforms."""
    for one in found:
        if one.target is not None and one.use.final and one.use.reference is not None:
            for platform in one.target.platforms:
                yield _Place(one.target, platform, one.use.reference)


async def _all_bases(places: Iterable[_Place], parts: Parts) -> list[_Bases | RegistryError]:
    """Ask for each distinct image and platform once."""
    asked: dict[tuple[Reference, Platform], asyncio.Task[BaseImage]] = {}

    def image(reference: Reference, platform: Platform) -> asyncio.Task[BaseImage]:
        key = reference, platform
        if key not in asked:
            asked[key] = asyncio.ensure_future(base_image(parts.registry, reference, platform))
        return asked[key]

    async def bases(place: _Place) -> _Bases | RegistryError:
        moving = place.reference.with_digest(None) if place.reference.effective_tag else place.reference
        try:
            held = await image(place.reference, place.platform)
            return _Bases(held, await image(moving, place.platform))
        except RegistryError as error:
            return error

    return list(await asyncio.gather(*(bases(place) for place in places)))


def _rescan(
    place: _Place, bases: _Bases, parts: Parts, scans: dict[str, Scan], audience: Audience
) -> Rescanned:
    sbom = _sbom_in_use(place, bases.held, parts)
    todays = _base_sbom(bases.today, place.platform, parts)
    for one in (sbom, todays):
        scans.setdefault(one.digest, cached_sbom_scan(one.subject or one.base, one.digest, parts))
    scan = scans[sbom.digest]
    last = last_told(sbom.digest, place.name, audience, parts.store)
    since, note = _since(last, scan)
    new = {found.identity for found in since.known}
    layers = {*bases.held.diff_ids, *_layers_of(sbom, bases, parts)}
    remedies = Remedies(parts.store, scan, scans[todays.digest], frozenset(layers))
    return Rescanned(
        name=place.name,
        image=_shown(place.reference),
        sbom=sbom,
        exact=sbom.base == bases.held.reference,
        scan=scan,
        known=tuple(Known(one, one.identity in new, *remedies.of(one)) for one in scan.vulnerabilities),
        withdrawn=since.withdrawn,
        note=note,
        told_by=last.scanner if last and _program(last) != _program(scan) else "",
    )


@dataclass(frozen=True, slots=True)
class _Since:
    """What became known since it was told last, and what is known no longer."""

    known: tuple[Vulnerability, ...] = ()
    withdrawn: tuple[Vulnerability, ...] = ()


def _since(last: Scan | None, scan: Scan) -> tuple[_Since, str]:
    """What became known.

    What the operator hides, or hides no longer, has not become known by that.
    """
    if last is None:
        return _Since(), "first rescan of this SBOM: there is nothing to compare with"
    if not (last.supported and scan.supported):
        return _Since(), "the scanner has no data for this distribution"
    found = compare(last, scan)
    known = tuple(one.vulnerability for one in found.introduced if not _hidden(one.vulnerability, last))
    gone = tuple(one.vulnerability for one in found.fixed if not _hidden(one.vulnerability, scan))
    return _Since(known, gone), ""


def _program(scan: Scan) -> str:
    """Name and version of the scanner, without what it was told to hide."""
    return scan.scanner.partition(",")[0]


def _hidden(found: Vulnerability, scan: Scan) -> bool:
    return any(one.package == found.package.name and one.id in found.names for one in scan.ignored)


def _sbom_in_use(place: _Place, held: BaseImage, parts: Parts) -> Sbom:
    """The newest build on the base that the Dockerfile names, else its newest, else the base alone."""
    made = [one for one in parts.store.sboms(place.name) if one.platform == str(place.platform)]
    made.sort(key=lambda one: one.base != held.reference)  # and newest first, as they came
    kept = (one for one in made if parts.artifacts.has(one.digest))
    return next(kept, None) or _base_sbom(held, place.platform, parts)


def _base_sbom(image: BaseImage, platform: Platform, parts: Parts) -> Sbom:
    for known in parts.store.sboms(""):
        same = known.base == image.reference and known.platform == str(platform)
        if same and parts.artifacts.has(known.digest):
            return known
    request = ScanRequest(image.reference, remote=True, digest=image.digest, platform=platform, keep=True)
    digest = sbom_of(cached_scan(request, parts))
    if digest is None:
        raise ScanError(f"no SBOM of {image.reference} was kept", hint="Check artifacts.location.")
    made = Sbom("", str(platform), image.reference, digest, parts.clock.now())
    remember(made, parts)
    return made


def _layers_of(sbom: Sbom, bases: _Bases, parts: Parts) -> tuple[str, ...]:
    """Layers of the base that an SBOM was made on; none where its registry no longer has it."""
    if sbom.base in {bases.held.reference, ""}:
        return ()
    try:
        reference = Reference.parse(sbom.base)
        return asyncio.run(base_image(parts.registry, reference, Platform.parse(sbom.platform))).diff_ids
    except (RegistryError, ValueError):
        return ()


def _shown(reference: Reference) -> str:
    tag = reference.effective_tag
    return f"{reference.name}:{tag}" if tag else reference.name
