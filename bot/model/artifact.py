"""Artifacts: documents about an image that are kept by their digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ArtifactKind(StrEnum):
    """What a kept document is."""

    SBOM = "sbom"
    SARIF = "sarif"

    @property
    def media_type(self) -> str:
        """Its media type, as registered or as its standard names it."""
        if self is ArtifactKind.SBOM:
            return "application/vnd.cyclonedx+json"
        return "application/sarif+json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A kept document.

    Attributes:
        kind: What it is.
        digest: sha256 of its bytes, with `sha256:` before it.
        size: Bytes.
        url: Where a person opens it; empty where it is only kept.
    """

    kind: ArtifactKind
    digest: str
    size: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the place where artifacts are kept: digest, bytes, and when it was written."""

    digest: str
    size: int
    written: datetime


@dataclass(frozen=True, slots=True)
class Sbom:
    """An SBOM at hand for an image that may no longer be.

    Attributes:
        subject: `project#target`; empty for a base image itself.
        platform: Of the image.
        base: Base image that it stands on, `registry/repository@digest` of the platform's manifest.
        digest: The artifact.
        at: When it was made.
        used: When it was rescanned last; None before the first time.
    """

    subject: str
    platform: str
    base: str
    digest: str
    at: datetime
    used: datetime | None = None
