"""Names people can read for a digest: the most precise tag that points at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def precise_names(current_tag: str, tags: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The few tags worth asking for their digest, most likely first."""
    return ()


def precise_name(tag_digests: Mapping[str, str], digest: str, current_tag: str) -> str | None:
    """The most precise of the asked tags that points at `digest`, or None."""
    found = [tag for tag, known in tag_digests.items() if known == digest and tag != current_tag]
    return max(found, key=len, default=None)
