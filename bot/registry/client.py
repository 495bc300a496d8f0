"""The `Registry` port over HTTP: one HEAD for each reference, a GET only for what is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar, cast

from bot.errors import (
    ImageNotFound,
    RegistryAnswerInvalid,
    RegistryError,
    RegistryLoginFailed,
    RegistryUnreachable,
)
from bot.model.manifest import Head, ImageConfig, Index, Manifest
from bot.model.reference import Reference
from bot.ports import Clock
from bot.registry import protocol
from bot.registry.endpoints import Endpoint, endpoints
from bot.registry.exchange import Exchange, Question
from bot.registry.settings import ContentCache, RegistrySettings
from bot.registry.shelf import Shelf
from bot.registry.tags import list_tags
from bot.registry.wire import Answer, NoConnection

MANIFEST_LIMIT: Final = 4 * 1024**2  # what registries take, by the distribution specification
CONFIG_LIMIT: Final = 8 * 1024**2
_NO_HEAD: Final = (404, 405, 501)

T = TypeVar("T")


class RegistryClient:
    """Asks OCI registries. Works in several event loops, one after the other or in threads of their own.

    Args:
        settings: How to speak to each registry.
        cache: Keeps what never changes, and tag lists; None keeps nothing.
        clock: Wall time for ages, monotonic time for pauses and tokens.
        refresh: Read nothing from the cache.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        settings: RegistrySettings,
        *,
        cache: ContentCache | None,
        clock: Clock,
        refresh: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._exchange = Exchange(settings, clock, sleep)
        self._shelf = Shelf(cache, clock, refresh=refresh)

    async def head(self, reference: Reference) -> Head:
        """Ask by one HEAD what a tag or digest points at now; asked once, then remembered for ten minutes.

        Raises:
            ImageNotFound: There is no such tag or digest.
            RegistryError: There is no usable answer.
        """
        key = ("head", _name(reference), _wanted(reference))
        if (known := self._shelf.recalled(key)) is not None:
            return _given(cast("Head | ImageNotFound", known))
        return await self._once(key, lambda: self._remembered_head(key, reference))

    async def content(self, reference: Reference) -> Index | Manifest:
        """Get the index or manifest of a reference, its digest verified against the bytes.

        Raises:
            ImageNotFound: There is no such tag or digest.
            RegistryError: There is no usable answer.
        """
        digest = reference.digest or str((await self.head(reference)).digest)
        pinned, where = reference.with_digest(digest), str(reference)
        body = await self._bytes("manifest", digest, pinned, lambda at: self._manifest(at, pinned))
        return protocol.content_of(body, None, where, digest)

    async def config(self, reference: Reference, manifest: Manifest) -> ImageConfig:
        """Get the image config of a manifest in the repository of `reference`.

        Raises:
            ImageNotFound: The registry lost it.
            RegistryError: There is no usable answer.
        """
        digest = manifest.config.digest
        body = await self._bytes("config", digest, reference, lambda at: self._blob(at, reference, digest))
        return protocol.config_of(body, digest, str(reference))

    async def tags(self, reference: Reference) -> tuple[str, ...]:
        """List every tag of the repository; raises rather than give an incomplete list.

        Raises:
            ImageNotFound: There is no such repository.
            RegistryError: The list could not be read to its end.
        """
        name = _name(reference)
        if (known := await self._shelf.tags(name, self._settings.tags_age)) is not None:
            return known
        return await self._once(("tags", name), lambda: self._listed(name, reference))

    def requests(self) -> Mapping[str, int]:
        """How many requests were sent to manifests, tags and blobs so far, by method; `TOKEN` for logins."""
        return self._exchange.hosts.requests()

    def quota(self) -> Mapping[str, str]:
        """What each registry says is left, as people read it: `98/100`."""
        return self._exchange.hosts.quota()

    async def aclose(self) -> None:
        """Close the connections of the running loop now; otherwise they are closed when the loop ends."""
        await self._exchange.loops.aclose()

    async def _once(self, key: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, or wait for the answer to the same question that is on its way already."""
        coming = self._exchange.loops.here().coming
        future = coming.get(key)
        if future is None:
            future = coming[key] = asyncio.ensure_future(ask())
            future.add_done_callback(lambda _: coming.pop(key, None))
        return cast("T", await asyncio.shield(future))

    async def _anywhere(self, reference: Reference, ask: Callable[[Endpoint], Awaitable[T]]) -> T:
        """Ask the mirrors, then the registry itself; the last one's word counts, if it has one."""
        answered: RegistryError | None = None
        for endpoint in endpoints(reference, self._settings):
            try:
                return await ask(endpoint)
            except NoConnection as error:
                last: RegistryError = error
            except RegistryError as error:
                last = answered = error
        raise answered or last

    async def _remembered_head(self, key: tuple[str, ...], reference: Reference) -> Head:
        try:
            head = await self._anywhere(reference, lambda at: self._head(at, reference))
        except ImageNotFound as error:
            self._shelf.remember(key, error)
            raise
        self._shelf.remember(key, head)
        return head

    async def _head(self, endpoint: Endpoint, reference: Reference) -> Head:
        answer = await self._exchange.ask(endpoint, _manifest_question("HEAD", endpoint, reference))
        if answer.status in _NO_HEAD and not endpoint.mirror:
            return await self._hashed(endpoint, reference)
        _check(answer, endpoint, _what(endpoint, reference))
        said, size = answer.headers.get("Docker-Content-Digest", ""), answer.headers.get("Content-Length", "")
        length = int(size) if size.isdigit() else 0
        head = protocol.head_of(said, answer.headers.get("Content-Type"), length, str(reference))
        return _same(head, reference) if head else await self._hashed(endpoint, reference)

    async def _hashed(self, endpoint: Endpoint, reference: Reference) -> Head:
        """GET the bytes and hash them: some registries answer no HEAD, or give no digest with it."""
        answer = await self._exchange.ask(endpoint, _manifest_question("GET", endpoint, reference))
        _check(answer, endpoint, _what(endpoint, reference))
        where = str(reference)
        if reference.digest:
            protocol.verify(answer.body, reference.digest, where)
        content = protocol.content_of(
            answer.body, answer.headers.get("Content-Type"), where, reference.digest
        )
        await self._shelf.put("manifest", str(content.digest), answer.body)
        return Head(content.digest, content.media_type, len(answer.body))

    async def _bytes(
        self, kind: str, digest: str, reference: Reference, ask: Callable[[Endpoint], Awaitable[bytes]]
    ) -> bytes:
        """Bytes by their digest: from the cache for ever, else asked once and verified."""
        if (known := await self._shelf.content(kind, digest)) is not None:
            return known

        async def fetch() -> bytes:
            body = await self._anywhere(reference, ask)
            await self._shelf.put(kind, digest, body)
            return body

        return await self._once((kind, _name(reference), digest), fetch)

    async def _manifest(self, endpoint: Endpoint, reference: Reference) -> bytes:
        answer = await self._exchange.ask(endpoint, _manifest_question("GET", endpoint, reference))
        _check(answer, endpoint, _what(endpoint, reference))
        protocol.refuse_type(answer.headers.get("Content-Type"), str(reference))
        protocol.verify(answer.body, reference.digest or "", str(reference))
        return answer.body

    async def _blob(self, endpoint: Endpoint, reference: Reference, digest: str) -> bytes:
        repository = endpoint.repository(reference)
        target = f"/v2/{repository}/blobs/{digest}"
        answer = await self._exchange.ask(
            endpoint, Question("GET", target, repository, CONFIG_LIMIT, accept="*/*")
        )
        _check(answer, endpoint, _what(endpoint, reference.with_digest(digest)))
        protocol.verify(answer.body, digest, str(reference))
        return answer.body

    async def _listed(self, name: str, reference: Reference) -> tuple[str, ...]:
        async def pages(endpoint: Endpoint) -> tuple[str, ...]:
            return await list_tags(self._exchange, endpoint, reference, _check)

        found = await self._anywhere(reference, pages)
        await self._shelf.put_tags(name, found)
        return found


def _name(reference: Reference) -> str:
    return f"{reference.registry}/{reference.repository}"


def _wanted(reference: Reference) -> str:
    """What stands at the end of the manifest's address: the digest where there is one (R11)."""
    return reference.digest or reference.effective_tag or "latest"


def _given(known: Head | ImageNotFound) -> Head:
    if isinstance(known, ImageNotFound):
        raise ImageNotFound(known.message, hint=known.hint)
    return known


def _manifest_question(method: str, endpoint: Endpoint, reference: Reference) -> Question:
    repository = endpoint.repository(reference)
    target = f"/v2/{repository}/manifests/{_wanted(reference)}"
    return Question(method, target, repository, MANIFEST_LIMIT, protocol.ACCEPT)


def _same(head: Head, reference: Reference) -> Head:
    """A HEAD by digest has to answer with that digest."""
    if reference.digest and str(head.digest) != reference.digest:
        raise RegistryAnswerInvalid(
            f"{reference}: asked for one digest, and {reference.registry} answered for {head.digest}"
        )
    return head


def _what(endpoint: Endpoint, reference: Reference) -> str:
    """What was asked for, as the host knows it."""
    mark = "@" if reference.digest else ":"
    return f"{endpoint.repository(reference)}{mark}{_wanted(reference)}"


def _check(answer: Answer, endpoint: Endpoint, what: str) -> None:
    """Tell the ways in which a host says no from each other."""
    name = endpoint.name
    if answer.status == 200:
        return
    if answer.status in (404, 410):
        raise ImageNotFound(f"{name} has no {what}")
    if answer.status == 403:
        raise RegistryLoginFailed(f"{name} denies access to {what} (HTTP 403)")
    if answer.status >= 500:
        raise RegistryUnreachable(
            f"{name} answered with a fault of its own for {what} (HTTP {answer.status})"
        )
    raise RegistryAnswerInvalid(f"{name} answered HTTP {answer.status} for {what}, which is no answer to it")
