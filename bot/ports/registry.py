"""Registries: what a name points at now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.model.manifest import Head, ImageConfig, Index, Manifest
from bot.model.reference import Reference


class Registry(Protocol):
    """OCI registries, all of them. Raises `RegistryError`s; safe to call concurrently."""

    async def head(self, reference: Reference) -> Head:
        """Ask by one HEAD what a tag or digest points at now."""
        ...

    async def content(self, reference: Reference) -> Index | Manifest:
        """Get the index or manifest of a reference, its digest verified against the bytes."""
        ...

    async def config(self, reference: Reference, manifest: Manifest) -> ImageConfig:
        """Get the image config of a manifest in the repository of `reference`."""
        ...

    async def tags(self, reference: Reference) -> tuple[str, ...]:
        """List every tag of the repository; raises rather than give an incomplete list."""
        ...

    def requests(self) -> Mapping[str, int]:
        """How many requests were sent to manifests, tags and blobs so far, by method."""
        ...

    def answers(self) -> Mapping[tuple[str, int], int]:
        """How many answers came so far, by registry and HTTP status."""
        ...

    def quota(self) -> Mapping[str, str]:
        """What each registry says is left, as people read it: `98/100`."""
        ...
