"""Published: what is really behind each target's `image:`; one HEAD each, and GETs only for what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.cycle.bases import base_image, manifest_for
from bot.cycle.discover import Found
from bot.cycle.parts import Parts
from bot.cycle.shipping import KnownBase, Standing, annotated, judge
from bot.errors import ImageNotFound, RegistryError
from bot.model.manifest import ImageConfig, Platform, believable
from bot.model.published import Published, Shipping
from bot.model.reference import Reference
from bot.model.run import Problem
from bot.model.target import Target
from bot.model.use import Use

_LOOK_BACK: Final = timedelta(days=730)
_MOST_BASES: Final = 12  # that an image is compared with, the newest first


Shipped = tuple[tuple[Published, ...], tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class _Image:
    """What a registry holds behind a target's `image:`, for one platform."""

    reference: Reference
    config: ImageConfig
    annotations: Mapping[str, str]


async def published(found: Sequence[Found], parts: Parts) -> Shipped:
    """Look at the published image of every target that names one, on each of its platforms; it is stored.

    A registry that gives no answer is a problem, never "shipped".
    """
    looks = [
        _look(target, platform, use, parts)
        for target, use in _targets(found)
        for platform in target.platforms
    ]
    results = await asyncio.gather(*looks)
    seen = tuple(one for one in results if isinstance(one, Published))
    for one in seen:
        parts.store.save_published(one)
    return seen, tuple(dict.fromkeys(one for one in results if isinstance(one, Problem)))


def _targets(found: Iterable[Found]) -> Iterable[tuple[Target, Use | None]]:
    """Each target that names its image, with the use that it stands on; None where it stands on no image."""
    chosen: dict[tuple[str, str], tuple[Target, Use | None]] = {}
    for one in found:
        if one.target is None or one.target.image is None:
            continue
        key = (one.project.name, one.target.name)
        base = one.use if one.use.final and one.use.reference is not None else None
        _, known = chosen.get(key, (one.target, None))
        chosen[key] = (one.target, known or base)
    return chosen.values()


async def _look(target: Target, platform: Platform, use: Use | None, parts: Parts) -> Published | Problem:
    wanted = target.image
    assert wanted is not None  # noqa: S101 - only such targets come here; tells the type checker
    blank = Published(target.project, target.name, platform, wanted, Shipping.UNKNOWN, "", parts.clock.now())
    try:
        image = await _image(wanted, platform, parts)
    except ImageNotFound as error:
        return replace(blank, state=Shipping.ABSENT, reason=error.message)
    except RegistryError as error:
        return Problem(target.name, f"what is published cannot be told: {error.message}", error.hint)
    known = replace(blank, image=image.reference, created=believable(image.config.created))
    if use is None or use.reference is None:
        return replace(known, reason="it stands on no image of a registry")
    return await _judged(known, image, use.reference, parts)


async def _image(wanted: Reference, platform: Platform, parts: Parts) -> _Image:
    registry = parts.registry
    pinned = wanted.with_digest(str((await registry.head(wanted)).digest))
    content = await registry.content(pinned)
    manifest = await manifest_for(registry, pinned, platform)
    config = await registry.config(pinned, manifest)
    return _Image(pinned, config, dict(content.annotations) | dict(manifest.annotations))


async def _judged(shown: Published, image: _Image, base: Reference, parts: Parts) -> Published:
    """Compare with the branch's base first: where that is in the image, nothing more is asked."""
    branch = await _branch(base, shown.platform, parts)
    if branch is None:
        return replace(shown, reason=f"the base that the branch holds cannot be read: {base}")
    standing = Standing(image.config.diff_ids, shown.created, branch, pinned=base.digest is not None)
    if not branch.carries(image.config.diff_ids):
        standing = await _with_others(standing, shown, image, base, parts)
    finding = judge(standing)
    return replace(
        shown,
        state=finding.state,
        reason=finding.reason,
        branch=branch.reference,
        base=finding.base.reference if finding.base else None,
        base_created=finding.base.created if finding.base else None,
        source=finding.source,
    )


async def _branch(base: Reference, platform: Platform, parts: Parts) -> KnownBase | None:
    """The base that the branch holds: the digest it names, else what its tag points at now."""
    try:
        digest = base.digest or str((await parts.registry.head(base)).digest)
    except RegistryError:
        return None
    return await _known(base.with_digest(digest), platform, parts)


async def _known(reference: Reference, platform: Platform, parts: Parts) -> KnownBase:
    """A base with its layers; without them where its registry no longer has it."""
    try:
        return KnownBase(reference, await base_image(parts.registry, reference, platform))
    except RegistryError:
        return KnownBase(reference, None)


async def _with_others(
    standing: Standing, shown: Published, image: _Image, base: Reference, parts: Parts
) -> Standing:
    """Add every other base that it may stand on: annotated, seen behind the tag, or measured before."""
    named = annotated(image.annotations)
    seen = dict(parts.store.sightings(base.with_digest(None).canonical))
    others = [one for one in _others(shown, base, seen, parts) if one != standing.branch.reference]
    looks = (_known(one, shown.platform, parts) for one in others[:_MOST_BASES])
    return replace(
        standing,
        annotated=await _known(named, shown.platform, parts) if named else None,
        known=tuple(await asyncio.gather(*looks)),
        seen=seen,
    )


def _others(
    shown: Published, base: Reference, seen: Mapping[str, datetime], parts: Parts
) -> Sequence[Reference]:
    """The newest first: what was behind the branch's tag, then what the target was measured on."""
    behind = [base.with_digest(digest) for digest in reversed(list(seen))]
    now = parts.clock.now()
    measured = [
        one.base
        for one in parts.store.measurements(now - _LOOK_BACK, now + timedelta(days=1))
        if (one.project, one.target) == (shown.project, shown.target)
    ]
    return tuple(dict.fromkeys([*behind, *(Reference.parse(text) for text in reversed(measured))]))
