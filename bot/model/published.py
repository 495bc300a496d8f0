"""What is published: the image that people pull, and the base it was really built on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.manifest import Platform
from bot.model.reference import Reference


class Shipping(StrEnum):
    """How the published image stands to the base that the branch holds."""

    SHIPPED = "shipped"
    NOT_SHIPPED = "not-shipped"
    AHEAD = "ahead"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class BaseSource(StrEnum):
    """What told the base of a published image."""

    ANNOTATION = "annotation"
    LAYERS = "layers"


@dataclass(frozen=True, slots=True)
class Published:
    """The published image of a target on one platform.

    Attributes:
        project: The target's project.
        target: Its name.
        platform: Which of its platforms.
        image: Where it is published, with the digest found there; without one where nothing is there.
        state: How it stands to the base that the branch holds.
        reason: The same in words.
        at: When it was looked at.
        created: When the published image says it was made, or None.
        branch: The base that the branch holds, with its digest; None where it stands on no image.
        base: The base that the published image was built on, with its digest, or None.
        base_created: When that base says it was made, or None.
        source: What told `base`, or None.
    """

    project: str
    target: str
    platform: Platform
    image: Reference
    state: Shipping
    reason: str
    at: datetime
    created: datetime | None = None
    branch: Reference | None = None
    base: Reference | None = None
    base_created: datetime | None = None
    source: BaseSource | None = None
