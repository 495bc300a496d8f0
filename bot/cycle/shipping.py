"""Which base a published image was built on, and how that stands to the branch. Pure.

Layers prove, annotations tell: an image is built on a base where the base's layers are its lowest ones. An
annotation (OCI image specification, annotations.md, `org.opencontainers.image.base.*`) is believed unless the
layers of the base that it names are known and are not there: some tools copy it from the base itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.model.evidence import BaseImage
from bot.model.manifest import believable
from bot.model.published import BaseSource, Shipping
from bot.model.reference import Reference
from bot.report import wording

BASE_NAME: Final = "org.opencontainers.image.base.name"
BASE_DIGEST: Final = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class KnownBase:
    """A base image that Refit has seen, under the digest it was seen by; `image` None where it is gone."""

    reference: Reference
    image: BaseImage | None

    def carries(self, diff_ids: Sequence[str]) -> bool:
        """Tell whether an image with these layers is built on this base."""
        own = self.image.diff_ids if self.image else ()
        return bool(own) and tuple(diff_ids[: len(own)]) == own

    @property
    def digests(self) -> frozenset[str]:
        """What an annotation may call it: its index's digest, or its platform's manifest's."""
        return frozenset(d for d in (self.reference.digest, self.image and self.image.digest) if d)

    @property
    def created(self) -> datetime | None:
        """When it says it was made, where it can be believed to know."""
        return believable(self.image.created) if self.image else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one published image, and about the bases it may stand on.

    Attributes:
        diff_ids: Its layers from the bottom.
        created: When it says it was made, or None.
        branch: The base that the branch holds.
        pinned: True where the branch names that base by its digest.
        annotated: The base that its annotations name, or None.
        known: Other bases it may stand on.
        seen: When each digest of the branch's tag was seen first.
    """

    diff_ids: tuple[str, ...]
    created: datetime | None
    branch: KnownBase
    pinned: bool
    annotated: KnownBase | None = None
    known: tuple[KnownBase, ...] = ()
    seen: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """The base that was found, or None; the state; and the same in words."""

    state: Shipping
    reason: str
    base: KnownBase | None = None
    source: BaseSource | None = None


def annotated(annotations: Mapping[str, str]) -> Reference | None:
    """The base that annotations name by digest, or None where they do not, or not readably."""
    name, digest = annotations.get(BASE_NAME, ""), annotations.get(BASE_DIGEST, "")
    try:
        return Reference.parse(f"{name.partition('@')[0]}@{digest}") if name and digest else None
    except ValueError:
        return None


def judge(it: Standing) -> Finding:
    """Tell the base of a published image, and whether what the branch holds is in it."""
    if it.branch.carries(it.diff_ids):
        return Finding(Shipping.SHIPPED, _SHIPPED, it.branch, BaseSource.LAYERS)
    told = _believed(it)
    if told is not None and told.digests & it.branch.digests:
        return Finding(Shipping.SHIPPED, _SHIPPED, it.branch, BaseSource.ANNOTATION)
    base = told or _lowest(it.known, it.diff_ids)
    if base is None:
        return _by_date(it)
    source = BaseSource.ANNOTATION if told else BaseSource.LAYERS
    if _newer(base, it):
        reason = f"built on a newer base than the branch holds: {_named(base, it.branch)}"
        return Finding(Shipping.AHEAD, reason, base, source)
    return Finding(
        Shipping.NOT_SHIPPED, _not_shipped(it, f"stands on {_named(base, it.branch)}"), base, source
    )


_SHIPPED: Final = "built on the base that the branch holds"


def _believed(it: Standing) -> KnownBase | None:
    """The annotated base, unless its layers are known and the image does not have them."""
    told = it.annotated
    if told is None or (told.image is not None and not told.carries(it.diff_ids)):
        return None
    # The branch's own layers were looked for and are not there: its name alone proves nothing then.
    contradicted = it.branch.image is not None and bool(told.digests & it.branch.digests)
    return None if contradicted else told


def _lowest(known: Iterable[KnownBase], diff_ids: Sequence[str]) -> KnownBase | None:
    """The base with the most layers that are all there, at the bottom, in their order."""
    fitting = [one for one in known if one.carries(diff_ids)]
    return max(fitting, key=lambda one: len(one.image.diff_ids) if one.image else 0, default=None)


def _by_date(it: Standing) -> Finding:
    """No base fits; an image that is older than the branch's base was certainly not built on it."""
    image, branch = believable(it.created), it.branch.created
    if image is not None and branch is not None and image < branch:
        how = f"was made on {wording.day(image)}, before that"
        return Finding(Shipping.NOT_SHIPPED, _not_shipped(it, how))
    return Finding(Shipping.UNKNOWN, "it was built on no base that Refit has seen")


def _newer(base: KnownBase, it: Standing) -> bool:
    """Tell whether the found base certainly came after the branch's: by our own clock, else by its date."""
    first = [it.seen.get(one.reference.digest or "") for one in (base, it.branch)]
    dates = first if all(first) and first[0] != first[1] else [base.created, it.branch.created]
    then, now = dates
    return then is not None and now is not None and then > now


def _not_shipped(it: Standing, how: str) -> str:
    if it.pinned:
        return f"merged, not shipped: the branch holds {_named(it.branch)}, what is published {how}"
    return f"not rebuilt: {_named(it.branch)} is there, what is published {how}"


def _named(base: KnownBase, beside: KnownBase | None = None) -> str:
    """A base as people tell it from its other versions: by its date, else by its digest."""
    name = str(base.reference.with_digest(None))
    same = beside is not None and str(beside.reference.with_digest(None)) == name
    if base.created is not None:
        return f"{'that' if same else name} of {wording.day(base.created)}"
    return f"{name}@{wording.short_digest(base.reference.digest or '')}"
