"""`refit run` while another process drives: a cycle of the same name is joined, any other is waited for.

Whoever follows takes over where the driver is gone. It looks at the store, and asks for the lease; the driver
is not asked anything, and need not be on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bot.app import opened_store
from bot.clock import SystemClock
from bot.cycle.driven import Follower
from bot.cycle.monthly import Outcome
from bot.cycle.parts import Parts
from bot.errors import LeaseHeld
from bot.model.run import RunResult
from bot.progress import TerminalProgress
from bot.report import wording
from bot.settings import Settings

_LOOK_SECONDS: Final = 0.5

Open = Callable[[], AbstractContextManager[Parts]]
Work = Callable[[Parts], Outcome]


def run_or_join(
    settings: Settings, progress: TerminalProgress, name: str, open_parts: Open, work: Work
) -> Outcome:
    """Run a cycle; where another process drives it, follow that to its end, or take over where it dies.

    Args:
        settings: The configuration.
        progress: Told what is done, here or there.
        name: Of the cycle.
        open_parts: Opens what the work needs, with the lease.
        work: Runs the cycle.

    Raises:
        KeyboardInterrupt: Somebody stopped this; what another process drives goes on.
    """
    try:
        with open_parts() as parts:
            return work(parts)
    except LeaseHeld as held:
        who = held.who
    with opened_store(settings) as store:
        following = _Following(
            Follower(store, name, progress, SystemClock()), progress, ZoneInfo(settings.timezone)
        )
        try:
            return _followed(following, who, open_parts, work)
        except KeyboardInterrupt:
            following.leave()
            raise


def _followed(following: _Following, who: str, open_parts: Open, work: Work) -> Outcome:
    while True:
        if (result := following.look(who)) is not None:
            return Outcome(result)
        time.sleep(_LOOK_SECONDS)
        try:
            with open_parts() as parts:
                if (result := following.look("")) is not None:
                    return Outcome(result)
                following.take_over()
                return work(parts)
        except LeaseHeld as held:
            who = held.who


class _Following:
    """A follower, and what the person at the terminal is told of it."""

    def __init__(self, follower: Follower, progress: TerminalProgress, zone: tzinfo) -> None:
        self._follower, self._progress, self._zone = follower, progress, zone
        self._said = ""
        self._mine = False

    def look(self, who: str) -> RunResult | None:
        """See `Follower.look`; says once whom it follows, or waits for."""
        self._mine = False
        result = self._follower.look(who)
        joined, name = self._follower.joined, self._follower.name
        if joined is not None and joined.who == who:
            since = wording.minute(joined.since, self._zone)
            self._say(f"{who} has driven {joined.cycle} since {since}: following it until it ends or Ctrl-C")
            self._follower.tell()
        elif result is None and who:
            self._say(f"{who} is at work in this store: waiting for it before {name}")
        return result

    def take_over(self) -> None:
        """The lease is ours."""
        self._mine = True
        joined = self._follower.joined
        gone = f"{joined.who} is gone: going on with {joined.cycle}" if joined else ""
        self._say(gone or f"the other work has ended: {self._follower.name} begins")

    def leave(self) -> None:
        """Somebody stopped this."""
        joined = self._follower.joined
        if joined is not None and not self._mine:
            self._progress.let_go()
            self._say(f"stopped following: {joined.who} goes on with {joined.cycle}")

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._progress.say(text)
