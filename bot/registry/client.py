"""The `Registry` port over HTTP: one HEAD for each reference, a GET only for what is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar, cast

from bot.errors import ImageNotFound, RegistryError
from bot.model.manifest import Head, ImageConfig, Index, Manifest
from bot.model.reference import Reference
from bot.ports import Clock
from bot.registry.documents import config_of, content_of
from bot.registry.endpoints import Endpoint, endpoints
from bot.registry.exchange import Exchange
from bot.registry.faults import NoConnection
from bot.registry.images import Hashed, Images, wanted
from bot.registry.settings import ContentCache, RegistrySettings
from bot.registry.shelf import Shelf
from bot.registry.tags import TagList, list_tags

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
        self._images = Images(self._exchange)
        self._shelf = Shelf(cache, clock, refresh=refresh)

    async def head(self, reference: Reference) -> Head:
        """Ask by one HEAD what a tag or digest points at now; asked once, then remembered for ten minutes.

        Raises:
            ImageNotFound: There is no such tag or digest.
            RegistryError: There is no usable answer.
        """
        reference = self._settings.canonical(reference)
        key = ("head", _name(reference), wanted(reference))
        if (known := self._shelf.recalled(key)) is not None:
            return _given(known)
        return await self._once(key, lambda: self._remembered_head(key, reference))

    async def content(self, reference: Reference) -> Index | Manifest:
        """Get the index or manifest of a reference, its digest verified against the bytes.

        Raises:
            ImageNotFound: There is no such tag or digest.
            RegistryError: There is no usable answer.
        """
        reference = self._settings.canonical(reference)
        digest = reference.digest or str((await self.head(reference)).digest)
        pinned = reference.with_digest(digest)
        body = await self._bytes("manifest", digest, pinned, lambda at: self._images.manifest(at, pinned))
        return content_of(body, None, str(reference), digest)

    async def config(self, reference: Reference, manifest: Manifest) -> ImageConfig:
        """Get the image config of a manifest in the repository of `reference`.

        Raises:
            ImageNotFound: The registry lost it.
            RegistryError: There is no usable answer.
        """
        reference, digest = self._settings.canonical(reference), manifest.config.digest
        ask = partial(self._images.blob, reference=reference, digest=digest)
        return config_of(await self._bytes("config", digest, reference, ask), digest, str(reference))

    async def tags(self, reference: Reference) -> tuple[str, ...]:
        """List every tag of the repository; raises rather than give an incomplete list.

        Raises:
            ImageNotFound: There is no such repository.
            RegistryError: The list could not be read to its end.
        """
        reference = self._settings.canonical(reference)
        name = _name(reference)
        known, age = await self._shelf.tags(name) or (None, None)
        if known is not None and age is not None and age <= self._settings.tags_age:
            return known.tags
        return (await self._once(("tags", name), lambda: self._listed(name, reference, known))).tags

    def requests(self) -> Mapping[str, int]:
        """How many requests were sent to manifests, tags and blobs so far, by method; `TOKEN` for logins."""
        return self._exchange.hosts.requests()

    def answers(self) -> Mapping[tuple[str, int], int]:
        """How many answers came so far, by registry and HTTP status."""
        return self._exchange.hosts.answers()

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
        """Ask the mirrors, then the registry itself.

        Where all fail, the registry's word counts; where it cannot be connected to, a mirror's complaint says
        more, but for "not found": that only the registry itself can say.
        """
        complaint: RegistryError | None = None
        for endpoint in endpoints(reference, self._settings):
            try:
                return await ask(endpoint)
            except (NoConnection, ImageNotFound) as error:
                last: RegistryError = error
            except RegistryError as error:
                last = complaint = error
        raise complaint if complaint is not None and isinstance(last, NoConnection) else last

    async def _remembered_head(self, key: tuple[str, ...], reference: Reference) -> Head:
        try:
            head = await self._anywhere(reference, lambda at: self._head(at, reference))
        except ImageNotFound as error:
            self._shelf.remember(key, error)
            raise
        self._shelf.remember(key, head)
        return head

    async def _head(self, endpoint: Endpoint, reference: Reference) -> Head:
        if (head := await self._images.head(endpoint, reference)) is not None:
            return head
        return (await self._hashed(endpoint, reference)).head

    async def _hashed(self, endpoint: Endpoint, reference: Reference) -> Hashed:
        """GET what a HEAD did not tell; where the registry knows it by an ETag, once."""
        name = f"{_name(reference)}:{wanted(reference)}"
        known = await self._shelf.hashed(name)
        found = await self._images.hashed(endpoint, reference, known)
        if found is not known:
            await self._shelf.put("manifest", str(found.head.digest), found.body)
            await self._shelf.put_hashed(name, found)
        return found

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

    async def _listed(self, name: str, reference: Reference, known: TagList | None) -> TagList:
        found = await self._anywhere(reference, lambda at: list_tags(self._exchange, at, reference, known))
        await self._shelf.put_tags(name, found)
        return found


def _name(reference: Reference) -> str:
    return f"{reference.registry}/{reference.repository}"


def _given(known: Head | ImageNotFound) -> Head:
    if isinstance(known, ImageNotFound):
        raise ImageNotFound(known.message, hint=known.hint)
    return known
