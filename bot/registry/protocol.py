"""Digests and media types: what headers say, and whether bytes are the ones that were asked for. No I/O.

Here and in the other readers `where` names the image in the sentences of errors.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Final

from bot.errors import RegistryAnswerInvalid
from bot.model.manifest import INDEX_TYPES, MANIFEST_TYPES, Head
from bot.model.reference import Digest, IndexDigest, ManifestDigest

ACCEPT: Final = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))
SCHEMA_1: Final = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
REBUILD_HINT: Final = "Ask the image's owner to push it again with a current tool; schema 1 ended in 2024."


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
            f"{where} is an image of the withdrawn manifest schema 1", hint=REBUILD_HINT
        )
    if media_type == "text/html":
        raise RegistryAnswerInvalid(
            f"{where}: a web page came instead of a manifest",
            hint="A login page or a proxy answers in its place: check the address and the proxy settings.",
        )
