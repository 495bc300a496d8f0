"""What a registry holds, in the words of the OCI image specification."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from bot.model.reference import ConfigDigest, IndexDigest, ManifestDigest

INDEX_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ATTESTATION: Final = "vnd.docker.reference.type"
# Reproducible builds set the date to the epoch or near it (distroless: 1970, ko: year 1, SOURCE_DATE_EPOCH):
# such an image says nothing about its age.
_FIRST_BELIEVABLE_YEAR: Final = 2000


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An operating system and processor, `os/architecture[/variant]` (OCI image-index.md)."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `linux/amd64` or `linux/arm64/v8`.

        Raises:
            ValueError: It has not two or three parts.
        """
        parts = text.strip().lower().split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"a platform is os/architecture[/variant], not {text!r}")
        return cls(*parts)

    def satisfies(self, wanted: Platform) -> bool:
        """Tell whether an image for this platform is what `wanted` asks for.

        arm64 and arm64/v8 are one platform (containerd's normalisation).
        """
        same = (self.os, self.architecture) == (wanted.os, wanted.architecture)
        version = not wanted.os_version or self.os_version == wanted.os_version
        return same and version and _variant(self) == _variant(wanted)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def _variant(platform: Platform) -> str:
    default = {"arm64": "v8", "arm": "v7", "amd64": "v1"}.get(platform.architecture, "")
    return platform.variant or default


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A typed pointer to content (OCI descriptor.md); `size` in bytes as stored."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def is_attestation(self) -> bool:
        """True for what BuildKit attaches (provenance, SBOM): no platform anybody runs."""
        unknown = self.platform is not None and self.platform.os == "unknown"
        return unknown or any(key == _ATTESTATION for key, _ in self.annotations)


@dataclass(frozen=True, slots=True)
class Head:
    """The answer to one HEAD: what a tag points at now."""

    digest: IndexDigest | ManifestDigest
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One platform's image manifest."""

    digest: ManifestDigest
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def pushed_size(self) -> int:
        """Bytes a registry stores and a pull moves: the sum of the descriptors."""
        return self.config.size + sum(layer.size for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Index:
    """An image index: one manifest descriptor for each platform."""

    digest: IndexDigest
    media_type: str
    entries: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """The entries that are images; attestations are left out."""
        return tuple(e for e in self.entries if e.platform is not None and not e.is_attestation)

    def for_platform(self, wanted: Platform) -> Descriptor | None:
        """The entry for one platform, whatever the order of the entries; None where there is none."""
        return next((e for e in self.images if e.platform and e.platform.satisfies(wanted)), None)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """An image config: when it was made, for what, of which layers."""

    digest: ConfigDigest
    platform: Platform
    created: datetime | None
    diff_ids: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()
    user: str = ""
    healthcheck: tuple[str, ...] = ()
    history: tuple[str, ...] = field(default=(), compare=False)


def believable(created: datetime | None) -> datetime | None:
    """The date an image says it was made on; None for the dates that reproducible builds put there."""
    return created if created is not None and created.year >= _FIRST_BELIEVABLE_YEAR else None
