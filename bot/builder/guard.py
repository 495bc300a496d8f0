"""Keeping one build from loopback, private and link-local addresses, and nobody else."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, Protocol

import docker

from bot.builder import firewall as chains
from bot.builder.client import BuilderSettings, connect
from bot.builder.neighbours import bridge_of, containers_on_it, listening
from bot.builder.nft import CANNOT, Firewall, firewall
from bot.builder.problems import engine_errors
from bot.errors import EngineError
from bot.model.evidence import BuildNetwork

_ASK_EVERY: Final = 1.0
_RENEW_EVERY: Final = 5.0
_ANSWER_SECONDS: Final = 20


class Guard(Protocol):
    """What a build knows of its network."""

    def keep(self) -> None:
        """Look after the rules; to be called about twice a second."""
        ...

    def refused(self) -> tuple[str, ...]:
        """What builds on this engine were kept from since this one began, as `address:port`."""
        ...

    def network(self) -> BuildNetwork:
        """Whether it was closed all the time up to now, and if not, why."""
        ...


@contextmanager
def guarded(settings: BuilderSettings, name: str) -> Iterator[Guard]:
    """The network of a build, closed as the settings want it.

    Args:
        settings: Whether it must be closed, or is closed where that can be had.
        name: Begins the name of whatever is started in the engine.

    Raises:
        EngineError: It must be closed, and cannot: nothing may be built then.
    """
    with ExitStack() as stack:
        guard: Guard
        try:
            if settings.closed_network is False:
                guard = Unguarded("builder.closed_network is off")
            else:
                guard = stack.enter_context(_closed(settings, name))
        except EngineError as error:
            if settings.closed_network is True:
                raise
            guard = Unguarded(error.message.removeprefix(f"{CANNOT}: "))
        yield guard


class Unguarded:
    """A network that is not closed, for a reason in words."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def keep(self) -> None:
        """There is nothing to look after."""

    def refused(self) -> tuple[str, ...]:
        """Nothing is."""
        return ()

    def network(self) -> BuildNetwork:
        """Not closed."""
        return BuildNetwork(closed=False, reason=self._reason)


@contextmanager
def _closed(settings: BuilderSettings, name: str) -> Iterator[Guard]:
    with ExitStack() as stack:
        wall = stack.enter_context(firewall(settings, name))
        client = stack.enter_context(connect(settings, _ANSWER_SECONDS))
        with engine_errors("tell about its network"):
            guard = _Guard(settings, wall, client)
            guard.begin()
            stack.callback(guard.end)
            stack.enter_context(listening(settings, guard.refresh))
        guard.refresh()  # who came before anybody listened
        yield guard


class _Guard:
    """Rules that stand, with the containers of others exempted as they come and go."""

    def __init__(self, settings: BuilderSettings, wall: Firewall, client: docker.DockerClient) -> None:
        self._reachable = [ipaddress.ip_network(one, strict=False) for one in settings.reachable]
        self._wall, self._client, self._bridge = wall, client, bridge_of(client)
        self._table = f"{chains.PREFIX}{uuid.uuid4().hex[:12]}"
        self._lock = threading.Lock()
        self._began = self._renewed = self._asked = -math.inf
        self._others: frozenset[str] = frozenset()
        self._whole = True

    def begin(self) -> None:
        """Put the rules in place, and take away what dead processes left."""
        with self._lock:
            if left := chains.leftovers(self._listing()):
                self._wall.nft(chains.removal(left))
            self._others = containers_on_it(self._client)
            self._began = self._renewed = time.monotonic()
            self._put()

    def end(self) -> None:
        """Take the rules away; where that fails, they do nothing any more after a while."""
        with self._lock, suppress(EngineError):
            self._wall.nft(chains.removal([self._table]))

    def keep(self) -> None:
        """Ask the engine anew, for where its events do not come through, and let the rules live on."""
        if time.monotonic() - self._asked >= _ASK_EVERY:
            self.refresh()

    def refresh(self) -> None:
        """Exempt the containers that are there now; an engine that does not answer is asked again."""
        with self._lock, suppress(EngineError), engine_errors("list containers"):
            self._asked = time.monotonic()
            others = containers_on_it(self._client)
            if others != self._others or self._asked - self._renewed >= _RENEW_EVERY:
                self._renew(others)

    def _renew(self, others: frozenset[str]) -> None:
        self._whole = self._whole and self._alive()
        now, self._others = time.monotonic(), others
        try:
            self._wall.nft(chains.renewal(self._table, self._bridge, others))
        except EngineError:  # somebody took the rules away, as a firewall does that is started anew
            self._whole = False
            self._put()
        self._renewed = now

    def _put(self) -> None:
        rules = chains.rules(self._table, self._wall.servers(), self._reachable)
        self._wall.nft(rules + chains.renewal(self._table, self._bridge, self._others))

    def _alive(self) -> bool:
        return time.monotonic() - self._renewed < chains.LIFETIME

    def _listing(self) -> str:
        return self._wall.nft("--json", "list", "sets", "inet")

    def refused(self) -> tuple[str, ...]:
        """What builds were kept from since this one began."""
        with suppress(EngineError):
            return chains.refused(self._listing(), time.monotonic() - self._began)
        return ()

    def network(self) -> BuildNetwork:
        """Closed, if the rules were there all the time."""
        whole = self._whole and self._alive()
        return BuildNetwork(closed=whole, reason="" if whole else "the rules were taken away meanwhile")
