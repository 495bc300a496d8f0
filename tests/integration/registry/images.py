"""Images as bytes: index, manifests and configs whose digests are true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Content:
    """Some bytes with their media type."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.body).hexdigest()

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body), **more}


@dataclass(frozen=True)
class Image:
    """An index of one platform, its manifest and its config."""

    index: Content
    manifest: Content
    config: Content


def image(version: str = "1", created: str = "2026-11-01T10:00:00Z", architecture: str = "amd64") -> Image:
    """An image for one platform of Linux without layers; the same version gives the same bytes."""
    described = {
        "os": "linux",
        "architecture": architecture,
        "created": created,
        "config": {"Labels": {"version": version}},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    config = Content(CONFIG_TYPE, json.dumps(described).encode())
    manifest = _document(MANIFEST_TYPES[0], config=config.descriptor(), layers=[])
    return Image(index_of({architecture: manifest}), manifest, config)


def index_of(manifests: Mapping[str, Content]) -> Content:
    """An index of manifests by architecture, in the order given."""
    entries = [
        one.descriptor(platform={"os": "linux", "architecture": name}) for name, one in manifests.items()
    ]
    return _document(INDEX_TYPES[0], manifests=entries)


def _document(media_type: str, **fields: Any) -> Content:
    return Content(media_type, json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode())
