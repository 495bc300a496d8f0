"""What was learned about registry hosts, and how many requests were sent to them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bot.errors import RegistryError
from bot.registry.credentials import Credential
from bot.registry.endpoints import Endpoint
from bot.registry.faults import NoConnection
from bot.registry.guard import Zone
from bot.registry.headers import Challenge
from bot.registry.pace import Pace
from bot.registry.wire import Tls

_DOWN_SECONDS: Final = 30.0
_MOST_SILENCES: Final = 4
_TOKENS_AT_ONCE: Final = 8


class StillDown(NoConnection):
    """The host was found to be down a moment ago: not asked."""


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
    silences: int = 0
    down: tuple[str, float] | None = None

    @property
    def tls(self) -> Tls:
        """Which certificates this host may show."""
        settings = self.endpoint.settings
        return Tls(not settings.insecure, settings.ca_file)

    def answered_from(self, zone: Zone) -> None:
        """It answered, from an address in this zone."""
        self.silences, self.zone = 0, zone

    def check_up(self, now: float) -> None:
        """Ask nothing of a host that is believed to be down.

        Raises:
            StillDown: It is.
        """
        if self.down is not None and now < self.down[1]:
            raise StillDown(self.down[0])

    def silent(self, error: RegistryError, now: float) -> None:
        """A question was not answered in time; several in a row mean that it is down."""
        self.silences += 1
        if self.silences >= _MOST_SILENCES:
            self.give_up(error, now)

    def give_up(self, error: RegistryError, now: float) -> None:
        """Believe for some seconds that it is down: the other questions to it fail at once."""
        self.down = (error.message, now + _DOWN_SECONDS)


class Hosts:
    """All hosts by name, and how many requests were sent. Outlives event loops; safe from several threads."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str | None], Host] = {}
        self._token_paces: dict[str, Pace] = {}
        self._requests: Counter[str] = Counter()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def get(self, endpoint: Endpoint) -> Host:
        """What is known about an endpoint's host."""
        key = (endpoint.host, endpoint.scheme)
        with self._lock:
            if key not in self._hosts:
                most = max(1, endpoint.settings.concurrency)
                pace = Pace(endpoint.name, most, most, rate=endpoint.settings.rate)
                self._hosts[key] = Host(endpoint, pace, endpoint.scheme)
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

    def answered(self, name: str, status: int) -> None:
        """One more answer came."""
        with self._lock:
            self._answers[name, status] += 1

    def answers(self) -> dict[tuple[str, int], int]:
        """Answers so far, by registry and status."""
        with self._lock:
            return dict(self._answers)

    def requests(self) -> dict[str, int]:
        """Requests so far, by method."""
        with self._lock:
            return dict(self._requests)

    def quota(self) -> dict[str, str]:
        """What each host says is left, as people read it."""
        with self._lock:
            said = [(host.endpoint.name, host.pace.budget.quota) for host in self._hosts.values()]
        return {name: str(quota) for name, quota in said if quota is not None}
