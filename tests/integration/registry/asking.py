"""A registry client in the hands of a test: short limits, a clock that jumps where the client sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import RegistryError
from bot.model.reference import Reference
from bot.registry import ContentCache, HostSettings, RegistryClient, RegistrySettings

SECONDS = 60.0  # however slow the machine
SHORT = 2.0  # for an answer that never ends


class Ticks:
    """A clock that only moves when somebody sleeps; `slept` tells how long, each time."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._passed = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 8, tzinfo=UTC) + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def jump(self, seconds: float) -> None:
        self._passed += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self._passed + seconds
        await asyncio.sleep(0)
        self._passed = max(self._passed, until)


class Memory:
    """A content cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        return self.kept.get((kind, key))

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        self.kept[kind, key] = (value, now)


def client(
    address: str,
    *,
    clock: Ticks | None = None,
    cache: ContentCache | None = None,
    refresh: bool = False,
    docker_config: Path | None = None,
    more: dict[str, HostSettings] | None = None,
    **settings: Any,
) -> RegistryClient:
    """A client that gives one host a minute, where the test does not say how long."""
    host = HostSettings(**({"timeout": SECONDS} | settings))
    ticks = clock or Ticks()
    everything = RegistrySettings(hosts={address: host} | (more or {}), docker_config=docker_config)
    return RegistryClient(everything, cache=cache, clock=ticks, refresh=refresh, sleep=ticks.sleep)


def patience(sentence: str) -> float:
    """How long an answer is waited for, where it ends with this sentence."""
    return SHORT if f"within {SHORT:g} s" in sentence else SECONDS


def reference(address: str, name: str = "app:1") -> Reference:
    """An image of the registry at an address."""
    return Reference.parse(f"{address}/{name}")


async def failure(question: Awaitable[object]) -> RegistryError:
    """The error that a question ends with."""
    try:
        answer = await question
    except RegistryError as error:
        return error
    raise AssertionError(f"expected an error, got {answer}")
