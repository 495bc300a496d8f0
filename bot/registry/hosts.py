"""What was learned about registry hosts, and what belongs to one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from bot.ports import Clock
from bot.registry.credentials import Credential
from bot.registry.endpoints import Endpoint
from bot.registry.guard import Zone
from bot.registry.headers import Challenge
from bot.registry.pace import Gate, Pace
from bot.registry.wire import Tls, Wire

DOWN_SECONDS: Final = 30.0
_TOKENS_AT_ONCE: Final = 8

# asyncio itself keeps no task alive; these live as long as their loops.
_CLOSERS: Final[set[asyncio.Task[None]]] = set()

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Host:
    """One host that is asked, and everything learned about it so far.

    Attributes:
        endpoint: Where it is.
        pace: How fast it may be asked.
        scheme: `http` or `https`; None until it was tried.
        met: True after its first answer: whether it wants a login is known.
        challenge: How it wants a login; None where it wants none.
        scope: Scope of tokens, with `{repository}` where the repository stands.
        zone: Where its address is.
        credential: Our login for it; None until it was looked up, and after it was refused.
        anonymous: True where the last look-up found no login.
        quota: What it says is left.
        silences: Questions in a row that were not answered in time.
        down: Why it could not be connected to, and the monotonic second until which that is believed.
    """

    endpoint: Endpoint
    pace: Pace
    scheme: str | None
    met: bool = False
    challenge: Challenge | None = None
    scope: str = "repository:{repository}:pull"
    zone: Zone = Zone.PUBLIC
    credential: Credential | None = field(default=None, repr=False)
    anonymous: bool = True
    quota: str | None = None
    silences: int = 0
    down: tuple[str, float] | None = None

    @property
    def tls(self) -> Tls:
        """Which certificates this host may show."""
        settings = self.endpoint.settings
        return Tls(not settings.insecure, settings.ca_file)


class Hosts:
    """All hosts by name, and how many requests were sent. Outlives event loops; safe from several threads."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str | None], Host] = {}
        self._token_paces: dict[str, Pace] = {}
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def get(self, endpoint: Endpoint) -> Host:
        """What is known about an endpoint's host."""
        key = (endpoint.host, endpoint.scheme)
        with self._lock:
            if key not in self._hosts:
                most = max(1, endpoint.settings.concurrency)
                self._hosts[key] = Host(endpoint, Pace(endpoint.name, most, most), endpoint.scheme)
            return self._hosts[key]

    def token_pace(self, host: str) -> Pace:
        """How fast a token server may be asked."""
        with self._lock:
            name = f"the token server {host}"
            return self._token_paces.setdefault(host, Pace(name, _TOKENS_AT_ONCE, _TOKENS_AT_ONCE))

    def count(self, method: str) -> None:
        """One more request was sent."""
        with self._lock:
            self._requests[method] += 1

    def requests(self) -> dict[str, int]:
        """Requests so far, by method."""
        with self._lock:
            return dict(self._requests)

    def quota(self) -> dict[str, str]:
        """What each host says is left."""
        with self._lock:
            return {host.endpoint.name: host.quota for host in self._hosts.values() if host.quota}


class Here:
    """What belongs to one event loop: connections, doors, and answers that are on their way."""

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
