"""What is known already: answers of this run in memory, immutable content and ETags in the store."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime, timedelta
from typing import Any, Final

from bot.errors import ImageNotFound, RegistryAnswerInvalid
from bot.model.manifest import Head
from bot.ports import Clock
from bot.registry import protocol
from bot.registry.images import Hashed
from bot.registry.settings import ContentCache
from bot.registry.tags import TagList

Question = tuple[str, ...]
_TAGS, _HEAD = "tag-list", "head"
_HEAD_SECONDS: Final = 600.0
_MEMORY_LIMIT: Final = 32 * 1024**2


class Shelf:
    """Keeps answers. The store blocks, so it is asked from a thread; safe from several threads.

    Args:
        cache: The store; None keeps nothing beyond this run.
        clock: Wall time for ages in the store, monotonic time for answers of this run.
        refresh: Read nothing from the store.
    """

    def __init__(self, cache: ContentCache | None, clock: Clock, *, refresh: bool) -> None:
        self._cache, self._clock, self._refresh = cache, clock, refresh
        self._answers: dict[Question, tuple[Head | ImageNotFound, float]] = {}
        self._memory: dict[tuple[str, str], bytes] = {}
        self._held = 0
        self._lock = threading.Lock()

    def recalled(self, key: Question) -> Head | ImageNotFound | None:
        """An answer of this run, or None where there is none or it is old."""
        found = self._answers.get(key)
        if found is None or self._clock.monotonic() > found[1]:
            return None
        return found[0]

    def remember(self, key: Question, answer: Head | ImageNotFound) -> None:
        """Keep the answer to a HEAD for ten minutes: a run asks once, a service of weeks asks again."""
        self._answers[key] = (answer, self._clock.monotonic() + _HEAD_SECONDS)

    async def content(self, kind: str, digest: str) -> bytes | None:
        """Bytes by their digest, verified; None where they are not there (or no longer themselves)."""
        if (held := self._memory.get((kind, digest))) is not None:
            return held
        found = await self._stored(kind, digest)
        if found is None or not _intact(found[0], digest):
            return None
        self._hold(kind, digest, found[0])
        return found[0]

    async def put(self, kind: str, digest: str, body: bytes) -> None:
        """Keep bytes that were verified, for ever."""
        self._hold(kind, digest, body)
        await self._store(kind, digest, body)

    async def tags(self, name: str) -> tuple[TagList, timedelta] | None:
        """A stored tag list and its age, or None."""
        found = await self._document(_TAGS, name)
        if found is None:
            return None
        document, age = found
        return TagList(tuple(document["tags"]), document["host"], document["etag"]), age

    async def put_tags(self, name: str, found: TagList) -> None:
        """Keep a tag list."""
        document = {"tags": found.tags, "host": found.host, "etag": found.etag}
        await self._store(_TAGS, name, json.dumps(document).encode())

    async def hashed(self, name: str) -> Hashed | None:
        """What a GET of a tag gave in an earlier run, or None."""
        found = await self._document(_HEAD, name)
        if found is None:
            return None
        document, _ = found
        head = protocol.head_of(document["digest"], document["type"], document["size"], name)
        return Hashed(head, document["host"], document["etag"]) if head else None

    async def put_hashed(self, name: str, found: Hashed) -> None:
        """Keep what a GET of a tag gave, where its registry would know it again."""
        if not found.etag:
            return
        head = found.head
        document = {
            "digest": str(head.digest),
            "type": head.media_type,
            "size": head.size,
            "host": found.host,
            "etag": found.etag,
        }
        await self._store(_HEAD, name, json.dumps(document).encode())

    def _hold(self, kind: str, digest: str, body: bytes) -> None:
        """Keep bytes in memory; all are dropped when they become too many."""
        with self._lock:
            if self._held + len(body) > _MEMORY_LIMIT:
                self._memory.clear()
                self._held = 0
            self._memory[kind, digest] = body
            self._held += len(body)

    async def _document(self, kind: str, key: str) -> tuple[dict[str, Any], timedelta] | None:
        """An answer that the store keeps as JSON, and its age."""
        found = await self._stored(kind, key)
        if found is None:
            return None
        return json.loads(found[0]), self._clock.now() - found[1]

    async def _stored(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        if self._cache is None or self._refresh:
            return None
        return await asyncio.to_thread(self._cache.cached, kind, key)

    async def _store(self, kind: str, key: str, body: bytes) -> None:
        if self._cache is not None:
            await asyncio.to_thread(self._cache.cache, kind, key, body, self._clock.now())


def _intact(body: bytes, digest: str) -> bool:
    try:
        protocol.verify(body, digest, "the cache")
    except RegistryAnswerInvalid:
        return False
    return True
