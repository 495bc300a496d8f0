"""The door to one host: never more inside than its pace, its rate and its quota allow."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from bot.errors import RegistryRateLimited
from bot.ports import Clock
from bot.registry.pace import MOST_WAIT, Pace

_JITTER: Final = 0.25
_GO_ON: Final = "The next run goes on where this one stopped. A login usually raises the limit."

Sleep = Callable[[float], Awaitable[None]]


class Gate:
    """The door to one host in one event loop."""

    def __init__(self, pace: Pace, clock: Clock, sleep: Sleep) -> None:
        self._pace, self._clock, self._sleep = pace, clock, sleep
        self._inside, self._change = 0, asyncio.Condition()

    @asynccontextmanager
    async def pass_through(self, method: str = "GET") -> AsyncIterator[int]:
        """Hold one permit; it is taken only when no pause is running. Gives the pauses there were so far.

        Raises:
            RegistryRateLimited: The pause is longer than a run may wait, or the quota is used up.
        """
        await self._enter(method)
        counted = method != "HEAD"
        self._pace.budget.flying += counted
        try:
            if (wait := self._pace.turn(self._clock.monotonic())) > 0:
                await self._sleep(wait)
            yield self._pace.pauses
        finally:
            self._pace.budget.flying -= counted
            async with self._change:
                self._inside -= 1
                self._change.notify(2)  # room for the one that left, and one that was earned

    async def _enter(self, method: str) -> None:
        async with self._change:
            try:
                await self._wait_for_turn(method)
            except BaseException:
                # Whoever leaves the line passes the word on, or the others wait for ever.
                self._change.notify(2)
                raise
            self._inside += 1

    async def _wait_for_turn(self, method: str) -> None:
        while True:
            await self._change.wait_for(lambda: self._inside < self._most(method) or not self._inside)
            now = self._clock.monotonic()
            if (pause := self._pace.resume - now) > 0:
                await self._pause(pause)
            elif self._pace.budget.room(method, now) == 0:
                await self._until_whole(now)
            else:
                return

    def _most(self, method: str) -> int:
        """How many may be inside: what is allowed, and no more than the quota has room for."""
        room = self._pace.budget.room(method, self._clock.monotonic())
        return self._pace.allowed if room is None else min(self._pace.allowed, room)

    async def _until_whole(self, now: float) -> None:
        """Wait until the quota is whole again, or leave it at that."""
        budget = self._pace.budget
        if (wait := budget.until - now) > MOST_WAIT:
            raise RegistryRateLimited(budget.exhausted(self._pace.host, now), hint=_GO_ON)
        await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Sleep with the door open for others, a little longer than asked, each its own time."""
        if seconds > MOST_WAIT:
            raise RegistryRateLimited(
                f"{self._pace.host} limits our requests for another {seconds:.0f} s, "
                f"longer than the {MOST_WAIT:.0f} s a run may wait"
            )
        self._change.release()
        try:
            await self._sleep(seconds * (1 + random.random() * _JITTER))  # noqa: S311 - no secret
        finally:
            await self._change.acquire()
