"""Where documents about images are kept by their digest: a folder, or an object store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from bot.model.artifact import Artifact, ArtifactKind, Kept


class Artifacts(Protocol):
    """Documents kept by digest. Blocking; raises `StoreError`s; safe to call from several threads."""

    def put(self, kind: ArtifactKind, data: bytes) -> Artifact:
        """Keep a document; the same bytes are kept once."""
        ...

    def get(self, digest: str) -> bytes:
        """A kept document, its digest verified; raises `StoreError` where it is gone."""
        ...

    def has(self, digest: str) -> bool:
        """Whether it is there."""
        ...

    def kept(self) -> Iterable[Kept]:
        """Everything that is there."""
        ...

    def tidy(self, before: datetime) -> None:
        """Remove what was half written by then, by processes that were killed."""
        ...

    def remove(self, digest: str) -> None:
        """Forget a document; one that is gone already is no error."""
        ...
