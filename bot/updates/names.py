"""Names people can read for a digest: the most precise tag that points at it.

`debian:bookworm-slim` at some digest is also `bookworm-20261110-slim`, and `nginx:1.27-alpine` is
`1.27.5-alpine3.21`. Each guess costs a request, so only the few most likely tags are asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from bot.updates.parts import Part, PartKind, Values
from bot.updates.tags import Tag

# Words that say which channel a tag follows, and nothing about what is in the image.
_CHANNELS: Final = frozenset({"latest", "lts", "stable", "current", "mainline", "main", "release", "rolling"})


def precise_names(current_tag: str, tags: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The few tags worth asking for their digest, most likely first: newest, then most precise.

    Such a tag says the same as the current one and more: further numbers of its version, a day, the
    release of the distribution underneath.
    """
    current = Tag.parse(current_tag)
    finer = (tag for text in tags if text != current_tag and _refines(tag := Tag.parse(text), current))
    return tuple(tag.text for tag in heapq.nlargest(limit, finer, key=_newest))


def precise_name(tag_digests: Mapping[str, str], digest: str, current_tag: str) -> str | None:
    """The most precise of the asked tags that points at `digest`, or None."""
    found = [Tag.parse(tag) for tag, known in tag_digests.items() if known == digest and tag != current_tag]
    best = max(found, key=lambda tag: (_precision(tag), tag.text), default=None)
    return best.text if best else None


def _refines(tag: Tag, current: Tag) -> bool:
    if tag.prerelease != current.prerelease or any(part.kind is PartKind.HASH for part in tag.parts):
        return False
    if _words(tag) != _words(current) or _precision(tag) <= _precision(current):
        return False
    kinds = (PartKind.NUMBER, PartKind.RELEASE, PartKind.DATE, PartKind.BUILD)
    return all(_continues(_of(tag, kind), _of(current, kind)) for kind in kinds)


def _continues(finer: list[Part], coarse: list[Part]) -> bool:
    """Each part of the coarser tag is in the finer one, with the same numbers in front."""
    if len(finer) < len(coarse):
        return False
    pairs = zip(finer, coarse, strict=False)
    return all(_scheme(new) == _scheme(old) and _starts(new.value, old.value) for new, old in pairs)


def _scheme(part: Part) -> str:
    """The shape without how many numbers there are, which is what a finer tag has more of."""
    return part.shape.partition(".")[0]


def _starts(finer: Values, coarse: Values) -> bool:
    return finer[: len(coarse)] == coarse


def _words(tag: Tag) -> list[str]:
    """The words that say what is in the image; `alpine3.21` says `alpine`, and its release besides."""
    words = ("alpine" if _is_alpine(part) else part.shape for part in tag.parts if _speaks(part))
    return [word for word in words if word not in ("-", "_") and word not in _CHANNELS]


def _speaks(part: Part) -> bool:
    return part.kind is PartKind.WORD or _is_alpine(part)


def _is_alpine(part: Part) -> bool:
    return part.kind is PartKind.RELEASE and part.shape.startswith("alpine")


def _of(tag: Tag, kind: PartKind) -> list[Part]:
    return [part for part in tag.parts if part.kind is kind]


def _precision(tag: Tag) -> int:
    return sum(len(part.value) for part in tag.parts)


def _newest(tag: Tag) -> tuple[tuple[Values, ...], ...]:
    kinds = (PartKind.NUMBER, PartKind.DATE, PartKind.BUILD, PartKind.RELEASE)
    return tuple(tuple(part.value for part in _of(tag, kind)) for kind in kinds)
