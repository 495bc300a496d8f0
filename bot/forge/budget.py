"""A budget for what people are notified of: GitHub limits how fast content may be made.

GitHub's documentation, "Rate limits for the REST API", secondary limits: "in general, no more than 80
content-generating requests per minute and no more than 500 content-generating requests per hour are
allowed". Staying inside is cheaper than being refused, and leaves room for what else the account does.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from bot.errors import ForgeUnavailable

PER_MINUTE: Final = 60
PER_HOUR: Final = 400
LONGEST: Final = 3600.0  # seconds until the wider window is free again, whatever was spent
log: Final = logging.getLogger(__name__)
_WINDOWS: Final = ((60.0, PER_MINUTE), (3600.0, PER_HOUR))


class Budget:
    """Lets through what fits into both windows, and waits for the rest within a bound.

    Args:
        sleep: Waits; takes seconds.
        clock: Monotonic seconds.
        most: Longest wait for one, in seconds: a large fleet takes its hour rather than fail.
    """

    def __init__(
        self,
        sleep: Callable[[float], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        most: float = LONGEST,
    ) -> None:
        self._sleep, self._clock, self._most = sleep, clock, most
        self._spent: deque[float] = deque(maxlen=PER_HOUR)

    def spend(self) -> None:
        """Take one from the budget.

        Raises:
            ForgeUnavailable: It would take longer than the bound.
        """
        wait = self._wait(self._clock())
        if wait > self._most:
            raise ForgeUnavailable(
                f"the publish budget ({PER_MINUTE} a minute, {PER_HOUR} an hour) is spent for {wait:.0f} s",
                hint="The next run goes on from here.",
            )
        if wait > 0:
            log.warning("waiting %.0f s: the publish budget of GitHub's limits is used up", wait)
            self._sleep(wait)
        self._spent.append(self._clock())

    def _wait(self, now: float) -> float:
        """Seconds until one more fits into every window."""
        waits = [0.0]
        for window, limit in _WINDOWS:
            if len(self._spent) >= limit:
                waits.append(self._spent[-limit] + window - now)
        return max(waits)
