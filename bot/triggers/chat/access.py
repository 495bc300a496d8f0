"""Who is answered in a chat, and how often."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from bot.ports import Clock

_MINUTE: Final = 60.0


def nobody() -> frozenset[str]:
    """The members of no group."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """Who is answered where.

    Attributes:
        users: Ids of people, or patterns of them: `@*:example.org` is everybody of a Matrix server.
        places: Ids of channels or rooms.
        members: The people of the listed groups, as last asked.
    """

    users: frozenset[str]
    places: frozenset[str]
    members: Callable[[], frozenset[str]] = nobody

    def allows(self, user: str, place: str) -> bool:
        """True only for a listed person, or one of a listed group, in a listed place."""
        if not user or place not in self.places:
            return False
        return any(fnmatchcase(user, one) for one in self.users) or user in self.members()


class RateLimit:
    """At most so many commands a minute for each person.

    Args:
        a_minute: How many.
        clock: Monotonic time.
    """

    def __init__(self, a_minute: int, clock: Clock) -> None:
        self._most, self._clock = a_minute, clock
        self._lock = threading.Lock()
        self._taken: dict[str, deque[float]] = {}

    def take(self, who: str) -> float:
        """Count a command; 0 where it may be carried out, else the seconds to wait."""
        now = self._clock.monotonic()
        with self._lock:
            self._taken = {one: times for one, times in self._taken.items() if now - times[-1] < _MINUTE}
            times = self._taken.setdefault(who, deque(maxlen=self._most))
            if len(times) == self._most and now - times[0] < _MINUTE:
                return _MINUTE - (now - times[0])
            times.append(now)
            return 0.0
