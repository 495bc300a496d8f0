"""Who is answered in a chat, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final

from bot.cycle.cleanup import ASKED
from bot.ports import Clock, Store

_MINUTE: Final = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many commands a minute for each person, whichever process hears them.

    Attributes:
        a_minute: How many.
        store: Counts them.
        clock: Wall time.
    """

    a_minute: int
    store: Store
    clock: Clock

    def take(self, who: str) -> float:
        """Count a command; 0 where it may be carried out, else the seconds to wait."""
        return self.store.admit(ASKED, who, self.clock.now(), self.a_minute, _MINUTE).total_seconds()
