"""Indexes, manifests and image configs: bytes to model values. No I/O.

Raises `RegistryAnswerInvalid` with a sentence of its own for each way in which an answer is wrong.
"""

from __future__ import annotations

from typing import Any, Final

from bot.errors import RegistryAnswerInvalid
from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, ImageConfig, Index, Manifest, Platform
from bot.model.reference import ConfigDigest, Digest, IndexDigest, ManifestDigest
from bot.registry.fields import inner, moment, pairs, read_list, read_object, texts
from bot.registry.protocol import REBUILD_HINT, digest_of, essence, refuse_type

_LARGEST: Final = 2**63 - 1  # bytes; what OCI's 64-bit sizes can say
_CONFIG_TYPES: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)


def content_of(
    body: bytes, content_type: str | None, where: str, digest: str | None = None
) -> Index | Manifest:
    """Read an index or a manifest; `digest` where the bytes were verified by it, else their sha256.

    Raises:
        RegistryAnswerInvalid: It is neither.
    """
    refuse_type(content_type, where)
    document = read_object(body, where)
    media_type = _media_type(document, content_type, where)
    verified = digest or digest_of(body)
    if media_type in INDEX_TYPES:
        return _index(document, media_type, IndexDigest(verified), where)
    return _manifest(document, media_type, ManifestDigest(verified), where)


def _media_type(document: dict[str, Any], content_type: str | None, where: str) -> str:
    """What the document says it is; where it does not (OCI allows that), what it looks like."""
    if document.get("schemaVersion") == 1 or "fsLayers" in document:
        raise RegistryAnswerInvalid(
            f"{where} is an image of the withdrawn manifest schema 1", hint=REBUILD_HINT
        )
    index, manifest = "manifests" in document, "layers" in document or "config" in document
    if index == manifest:
        raise RegistryAnswerInvalid(f"{where}: the answer is neither an image index nor an image manifest")
    known = INDEX_TYPES if index else MANIFEST_TYPES
    said = document.get("mediaType") or essence(content_type)
    if document.get("mediaType") and said not in known:
        raise RegistryAnswerInvalid(f"{where} is no container image but {str(said)[:100]!r}")
    return str(said) if said in known else known[0]


def _index(document: dict[str, Any], media_type: str, digest: IndexDigest, where: str) -> Index:
    entries = tuple(_descriptor(entry, where) for entry in read_list(document, "manifests", where))
    return Index(digest, media_type, entries, pairs(document.get("annotations")))


def _manifest(document: dict[str, Any], media_type: str, digest: ManifestDigest, where: str) -> Manifest:
    config = _descriptor(document.get("config"), where)
    if config.media_type not in _CONFIG_TYPES:
        raise RegistryAnswerInvalid(f"{where} is no container image but {config.media_type[:100]!r}")
    layers = tuple(_descriptor(layer, where) for layer in read_list(document, "layers", where))
    return Manifest(digest, media_type, config, layers, pairs(document.get("annotations")))


def _descriptor(value: Any, where: str) -> Descriptor:
    try:
        digest, size = Digest(value["digest"]).value, int(value["size"])
        media_type = str(value["mediaType"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RegistryAnswerInvalid(
            f"{where}: a descriptor lacks a valid media type, digest or size"
        ) from error
    if not 0 <= size <= _LARGEST:
        raise RegistryAnswerInvalid(f"{where}: a descriptor has the size {str(size)[:40]}")
    return Descriptor(
        media_type, digest, size, _platform(value.get("platform")), pairs(value.get("annotations"))
    )


def _platform(value: Any) -> Platform | None:
    if not isinstance(value, dict) or not value.get("os") or not value.get("architecture"):
        return None
    words = (value.get(key) or "" for key in ("os", "architecture", "variant", "os.version"))
    return Platform(*(str(word) for word in words))


def config_of(body: bytes, digest: str, where: str) -> ImageConfig:
    """Read an image config whose bytes were verified.

    Raises:
        RegistryAnswerInvalid: It is none.
    """
    document = read_object(body, where)
    platform = _platform(document)
    if platform is None:
        raise RegistryAnswerInvalid(f"{where}: the image config names no platform")
    options, rootfs = inner(document, "config"), inner(document, "rootfs")
    return ImageConfig(
        ConfigDigest(digest),
        platform,
        moment(document.get("created")),
        texts(rootfs.get("diff_ids")),
        pairs(options.get("Labels")),
        str(options.get("User") or ""),
        texts(inner(options, "Healthcheck").get("Test")),
        _steps(document.get("history")),
    )


def _steps(history: Any) -> tuple[str, ...]:
    entries = history if isinstance(history, list) else []
    return tuple(str(entry.get("created_by") or "") for entry in entries if isinstance(entry, dict))
