"""Base images as their registries describe them: digest, size, layers, date, for one platform."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.cycle.parts import Parts
from bot.errors import ImageNotFound, RegistryAnswerInvalid
from bot.model.evidence import Absence, BaseImage, BasePair
from bot.model.manifest import ImageConfig, Index, Manifest, Platform
from bot.model.reference import Reference
from bot.model.update import Update, UpdateKind
from bot.model.use import Use
from bot.ports import Registry

_PINNED = "a pin freezes what is built already"


async def pairs(
    registry: Registry, use: Use, update: Update, platforms: Sequence[Platform]
) -> tuple[BasePair, ...]:
    """The base before and after an update, on every platform.

    Raises:
        RegistryError: The new image cannot be read; an old one that is gone is a reason, no error.
    """
    return tuple(await asyncio.gather(*(_pair(registry, use, update, one) for one in platforms)))


async def _pair(registry: Registry, use: Use, update: Update, platform: Platform) -> BasePair:
    await _must_suit(registry, update.to, (platform, *_own(use)))
    after = await base_image(registry, update.to, platform)
    if update.kind is UpdateKind.PIN or use.reference is None:
        return BasePair(platform, None, after, _PINNED, Absence.PINNED)
    try:
        return BasePair(platform, await base_image(registry, use.reference, platform), after)
    except ImageNotFound as error:
        return BasePair(platform, None, after, f"the old image is gone: {error.message}", Absence.GONE)


async def _must_suit(registry: Registry, to: Reference, platforms: Sequence[Platform]) -> None:
    """Take no single image that was pushed in an index's place for one of every platform.

    Raises:
        ImageNotFound: It is made for none of these.
    """
    content = await registry.content(to)
    if isinstance(content, Manifest):
        made = (await registry.config(to, content)).platform
        if not any(made.satisfies(one) for one in platforms):
            raise ImageNotFound(
                f"{to} is made for {made} alone, and not for {platforms[0]}",
                hint="Ask its makers: an image of one platform was pushed under this tag.",
            )


def _own(use: Use) -> tuple[Platform, ...]:
    """The platform that the use itself asks for, where it does."""
    try:
        return (Platform.parse(use.platform),) if use.platform else ()
    except ValueError:
        return ()


async def base_image(registry: Registry, reference: Reference, platform: Platform) -> BaseImage:
    """Describe an image for one platform; everything asked for by digest is cached for ever.

    Raises:
        RegistryError: It cannot be read, or lacks the platform.
    """
    manifest = await manifest_for(registry, reference, platform)
    config = await registry.config(reference, manifest)
    where = f"{reference.registry}/{reference.repository}@{manifest.digest}"
    return BaseImage(
        reference=where,
        digest=str(manifest.digest),
        pushed_size=manifest.pushed_size,
        diff_ids=config.diff_ids,
        created=config.created,
        layer_sizes=tuple(layer.size for layer in manifest.layers),
    )


async def manifest_for(registry: Registry, reference: Reference, platform: Platform) -> Manifest:
    """The manifest of an image for one platform.

    Raises:
        RegistryError: It cannot be read, or lacks the platform.
    """
    if reference.digest is None:
        reference = reference.with_digest(str((await registry.head(reference)).digest))
    content = await registry.content(reference)
    if isinstance(content, Manifest):
        return content
    entry = content.for_platform(platform)
    if entry is None:
        raise ImageNotFound(
            f"{reference} is not made for {platform}",
            hint="Correct the target's platforms, or choose an image that has this one.",
        )
    manifest = await registry.content(reference.with_digest(entry.digest))
    if isinstance(manifest, Index):
        raise RegistryAnswerInvalid(f"{reference}: an index inside an index")
    return manifest


async def config_of(
    registry: Registry, reference: Reference, content: Index | Manifest, platform: Platform
) -> ImageConfig | None:
    """The image config of read content for one platform, else of its first; None where it has no image."""
    if isinstance(content, Manifest):
        return await registry.config(reference, content)
    entry = content.for_platform(platform) or next(iter(content.images), None)
    if entry is None:
        return None
    manifest = await registry.content(reference.with_digest(entry.digest))
    return await registry.config(reference, manifest) if isinstance(manifest, Manifest) else None


def platform_image(parts: Parts, reference: Reference, platform: Platform) -> BaseImage:
    """`base_image` for callers that are not asynchronous."""
    return asyncio.run(base_image(parts.registry, reference, platform))


def registry_pairs(
    parts: Parts, use: Use, update: Update, platforms: Sequence[Platform]
) -> tuple[BasePair, ...]:
    """`pairs` for callers that are not asynchronous."""
    return asyncio.run(pairs(parts.registry, use, update, platforms))
