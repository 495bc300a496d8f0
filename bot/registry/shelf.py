"""What is known already: answers of this run in memory, immutable content and tag lists in the store."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from typing import Final

from bot.errors import RegistryAnswerInvalid
from bot.ports import Clock
from bot.registry import protocol
from bot.registry.settings import ContentCache

_TAGS_KIND: Final = "tags"
_HEAD_SECONDS: Final = 600.0
_MEMORY_LIMIT: Final = 32 * 1024**2


class Shelf:
    """Keeps answers. The store blocks, so it is asked from a thread; safe from several threads."""

    def __init__(self, cache: ContentCache | None, clock: Clock, *, refresh: bool) -> None:
        self._cache, self._clock, self._refresh = cache, clock, refresh
        self._heads: dict[object, tuple[object, float]] = {}
        self._memory: dict[tuple[str, str], bytes] = {}
        self._held = 0
        self._lock = threading.Lock()

    def recalled(self, key: object) -> object | None:
        """An answer of this run, or None where there is none or it is old."""
        found = self._heads.get(key)
        if found is None or self._clock.monotonic() > found[1]:
            return None
        return found[0]

    def remember(self, key: object, value: object) -> None:
        """Keep an answer for ten minutes: a run asks once, and a service that lives for weeks asks again."""
        self._heads[key] = (value, self._clock.monotonic() + _HEAD_SECONDS)

    async def content(self, kind: str, digest: str) -> bytes | None:
        """Bytes by their digest, verified; None where they are not there (or no longer themselves)."""
        if (held := self._memory.get((kind, digest))) is not None:
            return held
        if self._cache is None or self._refresh:
            return None
        found = await asyncio.to_thread(self._cache.cached, kind, digest)
        if found is None or not _intact(found[0], digest):
            return None
        self._hold(kind, digest, found[0])
        return found[0]

    async def put(self, kind: str, digest: str, body: bytes) -> None:
        """Keep bytes that were verified, for ever."""
        self._hold(kind, digest, body)
        if self._cache is not None:
            await asyncio.to_thread(self._cache.cache, kind, digest, body, self._clock.now())

    def _hold(self, kind: str, digest: str, body: bytes) -> None:
        """Keep bytes in memory; all are dropped when they become too many."""
        with self._lock:
            if self._held + len(body) > _MEMORY_LIMIT:
                self._memory.clear()
                self._held = 0
            self._memory[kind, digest] = body
            self._held += len(body)

    async def tags(self, name: str, age: timedelta) -> tuple[str, ...] | None:
        """A stored tag list that is young enough, or None."""
        if self._cache is None or self._refresh:
            return None
        found = await asyncio.to_thread(self._cache.cached, _TAGS_KIND, name)
        if found is None or self._clock.now() - found[1] > age:
            return None
        return tuple(json.loads(found[0]))

    async def put_tags(self, name: str, tags: tuple[str, ...]) -> None:
        """Keep a tag list."""
        if self._cache is not None:
            body = json.dumps(tags).encode()
            await asyncio.to_thread(self._cache.cache, _TAGS_KIND, name, body, self._clock.now())


def _intact(body: bytes, digest: str) -> bool:
    try:
        protocol.verify(body, digest, "the cache")
    except RegistryAnswerInvalid:
        return False
    return True
