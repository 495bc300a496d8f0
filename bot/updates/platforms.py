"""What an index or a manifest has for a platform, and whether two have the same."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model.manifest import Index, Manifest, Platform


def image_for(content: Index | Manifest, platform: Platform) -> str | None:
    """The digest of the image for a platform; a lone manifest is taken to be for any."""
    if isinstance(content, Manifest):
        return str(content.digest)
    entry = content.for_platform(platform)
    return entry.digest if entry else None


def same_images(old: Index | Manifest, new: Index | Manifest, platforms: Sequence[Platform]) -> bool:
    """True where every one of the platforms, and there are some, has the same image in both."""
    pairs = [(image_for(old, one), image_for(new, one)) for one in platforms]
    return bool(pairs) and all(before is not None and before == after for before, after in pairs)
