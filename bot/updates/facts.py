"""Facts: what the registries and our own records say about one use's image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.errors import RefitError
from bot.model.manifest import Head, Index, Manifest


class Need(StrEnum):
    """A fact that a decision is missing.

    All are asked in the repository of the use; `bot.updates.choose` says of which tag or digest where that
    is not the use's own: `candidate` for CANDIDATE, one tag after the other, `older_digest` for OLDER.
    """

    HEAD = "head"
    LATEST = "latest"
    PINNED = "pinned"
    CREATED = "created"
    PINNED_CREATED = "pinned-created"
    TAGS = "tags"
    CANDIDATE = "candidate"
    NAMES = "names"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class TagImage:
    """The image behind another tag of the repository.

    Attributes:
        digest: What the tag points at now.
        content: The index or manifest behind it.
        created: When it says it was made.
        sightings: Digests seen behind that tag before now, each with its first time, oldest first.
        older: The newest of these that is old enough, with its index or manifest, where `digest` is not.
    """

    digest: str
    content: Index | Manifest
    created: datetime | None = None
    sightings: tuple[tuple[str, datetime], ...] = ()
    older: tuple[str, Index | Manifest] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known so far about one use's image; what is unknown is None or empty.

    Attributes:
        head: What the tag points at now.
        error: Why `head` could not be asked.
        latest: The index or manifest behind `head`.
        pinned: The index or manifest that the use is pinned to.
        pinned_gone: True where the registry no longer has what the use is pinned to.
        created: When the image behind `head` says it was made.
        pinned_created: The same for the pinned image.
        tags: Every tag of the repository; None where not asked or not listed completely.
        sightings: Digests seen behind this tag before now, each with its first time, oldest first.
        tag_digests: Digests of more precise tags, by tag.
        candidates: The images behind other tags that the rule may choose, or why one cannot be read.
        older: The index or manifest behind `older_digest(…)`, where a tag moves faster than the minimum age.
        checked: What was asked for already, answered or not; it is never asked again.
    """

    head: Head | None = None
    error: RefitError | None = None
    latest: Index | Manifest | None = None
    pinned: Index | Manifest | None = None
    pinned_gone: bool = False
    created: datetime | None = None
    pinned_created: datetime | None = None
    tags: tuple[str, ...] | None = None
    sightings: tuple[tuple[str, datetime], ...] = ()
    tag_digests: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[str, TagImage | RefitError] = field(default_factory=dict)
    older: Index | Manifest | None = None
    checked: frozenset[Need] = frozenset()

    def has(self, need: Need) -> bool:
        """Tell whether a fact is here, or was asked for in vain."""
        return need in self.checked or need in self._present()

    def _present(self) -> frozenset[Need]:
        present = {
            Need.HEAD: self.head is not None or self.error is not None,
            Need.LATEST: self.latest is not None,
            Need.PINNED: self.pinned is not None or self.pinned_gone,
            Need.CREATED: self.created is not None,
            Need.PINNED_CREATED: self.pinned_created is not None,
            Need.TAGS: self.tags is not None,
            Need.OLDER: self.older is not None,
        }
        return frozenset(need for need, here in present.items() if here)
