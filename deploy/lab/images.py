"""Images as values: layers, config, manifest, index (OCI image specification 1.1), with real digests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
TAR: Final = "application/vnd.oci.image.layer.v1.tar"
TAR_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
STAND_IN: Final = "dev.refit.stand-in"
_CHUNK: Final = 1 << 20


def digest_of(data: bytes) -> str:
    """The digest of some bytes, as `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as it is pushed.

    Args:
        data: The blob: its bytes, or the file that holds them.
        digest: The blob's digest.
        size: The blob's size in bytes.
        diff_id: The digest of the uncompressed tar.
        media_type: `TAR` or `TAR_GZIP`.
    """

    data: bytes | Path
    digest: str
    size: int
    diff_id: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image of one platform; its index has exactly this one.

    Args:
        layers: From the base up.
        created: When it says it was made.
        config: The `config` object: Env, Cmd, Labels, ….
        history: What each layer's instruction is said to be; missing ones are named after the lab.
        architecture: As in GOARCH.
    """

    layers: Sequence[Layer]
    created: datetime
    config: Mapping[str, object] = field(default_factory=dict)
    history: Sequence[str] = ()
    architecture: str = "amd64"

    def config_blob(self) -> bytes:
        """The image config as canonical JSON."""
        created = self.created.isoformat()
        steps = [*self.history, *["refit lab"] * len(self.layers)][: len(self.layers)]
        return _json(
            {
                "architecture": self.architecture,
                "os": "linux",
                "created": created,
                "config": dict(self.config),
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
                "history": [{"created": created, "created_by": step} for step in steps],
            }
        )

    def manifest(self) -> bytes:
        """The image manifest as canonical JSON."""
        config = self.config_blob()
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": descriptor(CONFIG, config),
                "layers": [
                    {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}
                    for layer in self.layers
                ],
            }
        )

    def index(self) -> bytes:
        """The index that names this image's manifest for its platform."""
        return index_of([self])


def index_of(images: Iterable[Image]) -> bytes:
    """An index of several platforms, as canonical JSON."""
    manifests = [
        descriptor(MANIFEST, image.manifest())
        | {"platform": {"architecture": image.architecture, "os": "linux"}}
        for image in images
    ]
    return _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def descriptor(media_type: str, data: bytes) -> dict[str, object]:
    """An OCI content descriptor of these bytes."""
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def layer_of(files: Mapping[str, bytes], *, executable: Iterable[str] = ()) -> Layer:
    """A small gzipped layer of regular files: path (no leading slash) → content."""
    runs = set(executable)
    return pack(
        [(_entry(path, 0o755 if path in runs else 0o644, len(data)), data) for path, data in files.items()]
    )


def pack(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Layer:
    """A gzipped layer of tar entries; the same entries give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    raw = buffer.getvalue()
    blob = gzip.compress(raw, compresslevel=1, mtime=0)
    return Layer(blob, digest_of(blob), len(blob), digest_of(raw), TAR_GZIP)


def compress(tar: Path, blob: Path) -> Layer:
    """Gzip a tar at the fastest level into `blob`, in pieces; the same tar gives the same blob."""
    raw, packed, deflate = hashlib.sha256(), hashlib.sha256(), zlib.compressobj(1, zlib.DEFLATED, 31)
    with tar.open("rb") as source, blob.open("wb") as target:
        while chunk := source.read(_CHUNK):
            raw.update(chunk)
            packed.update(piece := deflate.compress(chunk))
            target.write(piece)
        packed.update(piece := deflate.flush())
        target.write(piece)
    return Layer(
        blob, f"sha256:{packed.hexdigest()}", blob.stat().st_size, f"sha256:{raw.hexdigest()}", TAR_GZIP
    )


def uncompressed(tar: Path) -> Layer:
    """A tar as it is: for large layers that only the engine next door pulls."""
    with tar.open("rb") as source:
        digest = "sha256:" + hashlib.file_digest(source, "sha256").hexdigest()
    return Layer(tar, digest, tar.stat().st_size, digest, TAR)


def link(path: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """A tar entry: a symbolic link."""
    info = _entry(path, 0o777, 0)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


def folder(path: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    """A tar entry: a directory."""
    info = _entry(path, mode, 0)
    info.type = tarfile.DIRTYPE
    return info, b""


def file(path: str, data: bytes, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """A tar entry: a regular file."""
    return _entry(path, mode, len(data)), data


def _entry(path: str, mode: int, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode, info.size = mode, size
    return info


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
