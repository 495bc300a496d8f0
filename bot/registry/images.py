"""Questions about one image to one host: a HEAD, a manifest, a blob. Answers are verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.errors import RegistryAnswerInvalid
from bot.model.manifest import Head
from bot.model.reference import Reference
from bot.registry import protocol
from bot.registry.documents import content_of
from bot.registry.endpoints import Endpoint
from bot.registry.exchange import Exchange
from bot.registry.fields import header
from bot.registry.sending import Question
from bot.registry.statuses import check
from bot.registry.wire import Answer

MANIFEST_LIMIT: Final = 4 * 1024**2  # what registries take, by the distribution specification
CONFIG_LIMIT: Final = 8 * 1024**2
_NO_HEAD: Final = (404, 405, 501)
_NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a GET of a tag gave where a HEAD says too little, and the ETag by which `host` knows it again."""

    head: Head
    host: str
    etag: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Images:
    """Asks one host about one image after the other."""

    exchange: Exchange

    async def head(self, endpoint: Endpoint, reference: Reference) -> Head | None:
        """What a HEAD says; None where it says too little, and the bytes are needed.

        Raises:
            RegistryError: There is no usable answer.
        """
        answer = await self.exchange.ask(endpoint, _question("HEAD", endpoint, reference))
        if answer.status in _NO_HEAD and not endpoint.mirror:
            return None
        check(answer, endpoint, _what(endpoint, reference))
        said, size = answer.headers.get("Docker-Content-Digest", ""), answer.headers.get("Content-Length", "")
        length = int(size) if size.isascii() and size.isdigit() else 0
        head = protocol.head_of(said, answer.headers.get("Content-Type"), length, str(reference))
        return _same(head, reference) if head else None

    async def hashed(self, endpoint: Endpoint, reference: Reference, known: Hashed | None) -> Hashed:
        """GET the bytes and hash them: some registries answer no HEAD, or give no digest with it.

        Args:
            endpoint: The host.
            reference: What is asked for.
            known: What such a GET gave before; it is returned where its ETag still holds.

        Raises:
            RegistryError: There is no usable answer.
        """
        unless = known.etag if known is not None and known.host == endpoint.host else ""
        answer = await self.exchange.ask(endpoint, _question("GET", endpoint, reference, unless))
        if answer.status == _NOT_MODIFIED and known is not None and unless:
            return known
        check(answer, endpoint, _what(endpoint, reference))
        if reference.digest:
            protocol.verify(answer.body, reference.digest, str(reference))
        said = answer.headers.get("Content-Type")
        content = content_of(answer.body, said, str(reference), reference.digest)
        head = Head(content.digest, content.media_type, len(answer.body))
        return Hashed(head, endpoint.host, header(answer.headers.get("ETag")), answer.body)

    async def manifest(self, endpoint: Endpoint, reference: Reference) -> bytes:
        """The bytes of an index or manifest by its digest.

        Raises:
            RegistryError: There is no usable answer.
        """
        answer = await self.exchange.ask(endpoint, _question("GET", endpoint, reference))
        check(answer, endpoint, _what(endpoint, reference))
        protocol.refuse_type(answer.headers.get("Content-Type"), str(reference))
        return _verified(answer, reference.digest or "", reference)

    async def blob(self, endpoint: Endpoint, reference: Reference, digest: str) -> bytes:
        """The bytes of an image config by its digest.

        Raises:
            RegistryError: There is no usable answer.
        """
        repository = endpoint.repository(reference)
        target = f"/v2/{repository}/blobs/{digest}"
        question = Question("GET", target, repository, CONFIG_LIMIT, accept="*/*")
        answer = await self.exchange.ask(endpoint, question)
        check(answer, endpoint, _what(endpoint, reference.with_digest(digest)))
        return _verified(answer, digest, reference)


def wanted(reference: Reference) -> str:
    """What stands at the end of a manifest's address: the digest where there is one, never both."""
    return reference.digest or reference.effective_tag or "latest"


def _question(method: str, endpoint: Endpoint, reference: Reference, unless: str = "") -> Question:
    repository = endpoint.repository(reference)
    target = f"/v2/{repository}/manifests/{wanted(reference)}"
    return Question(method, target, repository, MANIFEST_LIMIT, protocol.ACCEPT, unless)


def _what(endpoint: Endpoint, reference: Reference) -> str:
    """What was asked for, as the host knows it."""
    mark = "@" if reference.digest else ":"
    return f"{endpoint.repository(reference)}{mark}{wanted(reference)}"


def _verified(answer: Answer, digest: str, reference: Reference) -> bytes:
    protocol.verify(answer.body, digest, str(reference))
    return answer.body


def _same(head: Head, reference: Reference) -> Head:
    """A HEAD by digest has to answer with that digest."""
    if reference.digest and str(head.digest) != reference.digest:
        raise RegistryAnswerInvalid(
            f"{reference}: asked for one digest, and {reference.registry} answered for {head.digest}"
        )
    return head
