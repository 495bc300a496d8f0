"""How fast one registry host is asked: never more than N at once, and slower after it complained.

After a 429 a host gets one request at a time, and earns one more with every ten answers
(peers let all waiters go at once, and are refused again).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bot.errors import RegistryRateLimited
from bot.ports import Clock

MOST_WAIT: Final = 60.0
LEAST_WAIT: Final = 0.1
_MOST_REFUSALS: Final = 4
_COOL_OFF: Final = 300.0
_ANSWERS_FOR_ONE_MORE: Final = 10
_JITTER: Final = 0.25


@dataclass(slots=True)
class Pace:
    """What was learned about one host; it outlives event loops.

    Attributes:
        host: Its name, for sentences.
        most: Requests in flight that the settings allow.
        allowed: Requests in flight that are allowed now.
        resume: Monotonic second before which nothing is sent.
        answers: Good answers since `allowed` last grew.
        pauses: How often it asked for a pause; answers to what was sent before the last one earn nothing.
    """

    host: str
    most: int
    allowed: int
    resume: float = 0.0
    answers: int = 0
    pauses: int = 0

    def slow(self, resume: float) -> None:
        """The host asked for a pause until a monotonic second."""
        self.allowed, self.answers, self.pauses = 1, 0, self.pauses + 1
        self.resume = max(self.resume, resume)

    def answered(self, pauses: int) -> None:
        """The host answered without complaint what was sent after that many pauses."""
        if pauses != self.pauses:
            return
        self.answers += 1
        if self.allowed < self.most and self.answers >= _ANSWERS_FOR_ONE_MORE:
            self.allowed, self.answers = self.allowed + 1, 0


@dataclass(slots=True)
class Patience:
    """How often one question was told to wait, and the seconds of it so far."""

    refusals: int = 0
    waited: float = 0.0

    def told(self, pace: Pace, status: int, wait: float | None, now: float) -> None:
        """Note a pause for everybody who asks this host.

        Args:
            pace: The host's.
            status: The HTTP status that asked for it.
            wait: Seconds it asked for, or None where it did not say.
            now: The monotonic clock.

        Raises:
            RegistryRateLimited: The pause is longer than a run may wait.
        """
        self.refusals += 1
        seconds = max(LEAST_WAIT, wait if wait is not None else float(2 ** (self.refusals - 1)))
        self.waited += seconds
        hopeless = self.waited > MOST_WAIT or self.refusals > _MOST_REFUSALS
        pace.slow(now + (max(seconds, _COOL_OFF) if hopeless else seconds))
        if hopeless:
            asked = f"asks for a pause of {wait:.0f} s" if wait is not None else "does not say for how long"
            raise RegistryRateLimited(f"{pace.host} limits our requests (HTTP {status}) and {asked}")


class Gate:
    """The door to one host in one event loop."""

    def __init__(self, pace: Pace, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._pace, self._clock, self._sleep = pace, clock, sleep
        self._inside, self._change = 0, asyncio.Condition()

    @asynccontextmanager
    async def pass_through(self) -> AsyncIterator[int]:
        """Hold one permit; it is taken only when no pause is running. Gives the pauses there were so far.

        Raises:
            RegistryRateLimited: The pause is longer than a run may wait.
        """
        await self._enter()
        try:
            yield self._pace.pauses
        finally:
            async with self._change:
                self._inside -= 1
                self._change.notify(2)  # room for the one that left, and one that was earned

    async def _enter(self) -> None:
        async with self._change:
            try:
                await self._wait_for_turn()
            except BaseException:
                self._change.notify(
                    2
                )  # whoever leaves the line passes the word on, or the others wait for ever
                raise
            self._inside += 1

    async def _wait_for_turn(self) -> None:
        while True:
            await self._change.wait_for(lambda: self._inside < self._pace.allowed)
            if (pause := self._pace.resume - self._clock.monotonic()) <= 0:
                return
            await self._pause(pause)

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
