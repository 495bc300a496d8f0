"""What belongs to one event loop: connections, doors, and answers that are on their way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final
from weakref import WeakKeyDictionary

from bot.ports import Clock
from bot.registry.gate import Gate, Sleep
from bot.registry.hosts import Host
from bot.registry.pace import Pace
from bot.registry.wire import Wire

# asyncio itself keeps no task alive; these live as long as their loops.
_CLOSERS: Final[set[asyncio.Task[None]]] = set()


class Here:
    """What belongs to one event loop."""

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self.wire = Wire()
        self.coming: dict[object, asyncio.Future[object]] = {}
        self._clock, self._sleep = clock, sleep
        self._gates: dict[int, Gate] = {}
        self.firsts: dict[str, asyncio.Event] = {}  # hosts that are asked for the first time now
        self._lookups: dict[str, asyncio.Lock] = {}
        self.closer = asyncio.create_task(self._close_at_end())
        _CLOSERS.add(self.closer)
        self.closer.add_done_callback(_CLOSERS.discard)

    def gate(self, pace: Pace) -> Gate:
        """The door to a host; a host's pace is the same object for as long as the client lives."""
        if id(pace) not in self._gates:
            self._gates[id(pace)] = Gate(pace, self._clock, self._sleep)
        return self._gates[id(pace)]

    def lookup(self, host: Host) -> asyncio.Lock:
        """Held by whoever looks up the login of a host."""
        return self._lookups.setdefault(host.endpoint.host, asyncio.Lock())

    async def _close_at_end(self) -> None:
        """Close the connections when `asyncio.run` ends the loop: it cancels this task first."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.wire.aclose()

    async def aclose(self) -> None:
        """Close the connections now."""
        self.closer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.closer


class Loops:
    """`Here` of each running event loop; the registry client is used from several `asyncio.run`s."""

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._all: WeakKeyDictionary[asyncio.AbstractEventLoop, Here] = WeakKeyDictionary()

    def here(self) -> Here:
        """What belongs to the running loop."""
        loop = asyncio.get_running_loop()
        if (found := self._all.get(loop)) is None:
            found = self._all[loop] = Here(self._clock, self._sleep)
            found.closer.add_done_callback(lambda _: self._all.pop(loop, None))
        return found

    async def aclose(self) -> None:
        """Close what belongs to the running loop."""
        if (found := self._all.pop(asyncio.get_running_loop(), None)) is not None:
            await found.aclose()
