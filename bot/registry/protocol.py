"""Manifests, indexes, image configs and tag lists: bytes to model values. No I/O.

Raises `RegistryAnswerInvalid` with a sentence of its own for each way in which an answer is wrong.
`where` names the image in those sentences.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final

from bot.errors import RegistryAnswerInvalid
from bot.model.manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    Head,
    ImageConfig,
    Index,
    Manifest,
    Platform,
)
from bot.model.reference import ConfigDigest, Digest, IndexDigest, ManifestDigest

ACCEPT: Final = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))
SCHEMA_1: Final = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
_CONFIG_TYPES: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_MAX_ENTRIES: Final = 10_000
_REBUILD_HINT: Final = "Ask the image's owner to push it again with a current tool; schema 1 ended in 2024."


def essence(content_type: str | None) -> str:
    """A media type without its parameters, in lower case."""
    return (content_type or "").partition(";")[0].strip().lower()


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of some bytes, `algorithm:hex`."""
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def verify(body: bytes, digest: str, where: str) -> None:
    """Check bytes against the digest they were asked by.

    Raises:
        RegistryAnswerInvalid: They are other bytes.
    """
    algorithm = Digest(digest).value.partition(":")[0]
    if (real := digest_of(body, algorithm)) != digest:
        raise RegistryAnswerInvalid(
            f"{where}: asked for {digest[:19]}…, and the bytes that came have the digest {real[:19]}…",
            hint="Something between here and the registry changes what it sends; ask its operator.",
        )


def head_of(digest: str, content_type: str | None, size: int, where: str) -> Head | None:
    """What a HEAD says, or None where its headers are not enough and the bytes are needed.

    Raises:
        RegistryAnswerInvalid: It is no image, or a schema 1 manifest.
    """
    media_type = sys.intern(essence(content_type))  # one string for all that is remembered
    refuse_type(content_type, where)
    try:
        if media_type in INDEX_TYPES:
            return Head(IndexDigest(digest), media_type, size)
        if media_type in MANIFEST_TYPES:
            return Head(ManifestDigest(digest), media_type, size)
    except ValueError:
        return None
    return None


def refuse_type(content_type: str | None, where: str) -> None:
    """Refuse what the header alone shows to be no image.

    Raises:
        RegistryAnswerInvalid: A schema 1 manifest, or a web page.
    """
    media_type = essence(content_type)
    if media_type in SCHEMA_1:
        raise RegistryAnswerInvalid(
            f"{where} is an image of the withdrawn manifest schema 1", hint=_REBUILD_HINT
        )
    if media_type == "text/html":
        raise RegistryAnswerInvalid(
            f"{where}: a web page came instead of a manifest",
            hint="A login page or a proxy answers in its place: check the address and the proxy settings.",
        )


def content_of(
    body: bytes, content_type: str | None, where: str, digest: str | None = None
) -> Index | Manifest:
    """Read an index or a manifest; `digest` where the bytes were verified by it, else their sha256.

    Raises:
        RegistryAnswerInvalid: It is neither.
    """
    refuse_type(content_type, where)
    document = _object(body, where)
    media_type = _media_type(document, content_type, where)
    verified = digest or digest_of(body)
    if media_type in INDEX_TYPES:
        return _index(document, media_type, IndexDigest(verified), where)
    return _manifest(document, media_type, ManifestDigest(verified), where)


def _media_type(document: dict[str, Any], content_type: str | None, where: str) -> str:
    """What the document says it is; where it does not (OCI allows that), what it looks like."""
    if document.get("schemaVersion") == 1 or "fsLayers" in document:
        raise RegistryAnswerInvalid(
            f"{where} is an image of the withdrawn manifest schema 1", hint=_REBUILD_HINT
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
    entries = tuple(_descriptor(entry, where) for entry in _list(document, "manifests", where))
    return Index(digest, media_type, entries, _pairs(document.get("annotations")))


def _manifest(document: dict[str, Any], media_type: str, digest: ManifestDigest, where: str) -> Manifest:
    config = _descriptor(document.get("config"), where)
    if config.media_type not in _CONFIG_TYPES:
        raise RegistryAnswerInvalid(f"{where} is no container image but {config.media_type[:100]!r}")
    layers = tuple(_descriptor(layer, where) for layer in _list(document, "layers", where))
    return Manifest(digest, media_type, config, layers, _pairs(document.get("annotations")))


def _descriptor(value: Any, where: str) -> Descriptor:
    try:
        digest, size = Digest(value["digest"]).value, int(value["size"])
        media_type = str(value["mediaType"])
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryAnswerInvalid(
            f"{where}: a descriptor lacks a valid media type, digest or size"
        ) from error
    if size < 0:
        raise RegistryAnswerInvalid(f"{where}: a descriptor has the size {size}")
    return Descriptor(
        media_type, digest, size, _platform(value.get("platform")), _pairs(value.get("annotations"))
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
    document = _object(body, where)
    platform = _platform(document)
    if platform is None:
        raise RegistryAnswerInvalid(f"{where}: the image config names no platform")
    options, rootfs = _inner(document, "config"), _inner(document, "rootfs")
    return ImageConfig(
        ConfigDigest(digest),
        platform,
        moment(document.get("created")),
        _texts(rootfs.get("diff_ids")),
        _pairs(options.get("Labels")),
        str(options.get("User") or ""),
        _texts(_inner(options, "Healthcheck").get("Test")),
        _steps(document.get("history")),
    )


def _inner(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _steps(history: Any) -> tuple[str, ...]:
    entries = history if isinstance(history, list) else []
    return tuple(str(entry.get("created_by") or "") for entry in entries if isinstance(entry, dict))


def moment(text: Any) -> datetime | None:
    """A time of RFC 3339; None where it is absent, unreadable, or Go's zero time."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware if aware.year > 1 else None


def tags_of(body: bytes, where: str) -> tuple[str, ...]:
    """The tags of one page of a tag list; junk that can be no tag is left out (R15: Nexus, Artifactory).

    Raises:
        RegistryAnswerInvalid: The page is no tag list.
    """
    tags = _object(body, where).get("tags")
    if tags is None:
        return ()
    if not isinstance(tags, list):
        raise RegistryAnswerInvalid(f"{where}: the tag list is no list")
    return tuple(tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag))


def _object(body: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryAnswerInvalid(f"{where}: the answer is no JSON") from error
    if not isinstance(document, dict):
        raise RegistryAnswerInvalid(f"{where}: the answer is JSON, but no object")
    return document


def _list(document: dict[str, Any], key: str, where: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise RegistryAnswerInvalid(f"{where}: {key!r} is no list of at most {_MAX_ENTRIES} entries")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return ()
    return tuple((key, text) for key, text in value.items() if isinstance(text, str))
