"""Which deliveries were seen: a chat sends one again when the answer was late, and so may an eavesdropper."""

from __future__ import annotations

import threading
from typing import Final

from bot.ports import Clock

# Bolt refuses what was signed more than five minutes ago, so nothing older can come again.
_KEPT_SECONDS: Final = 600.0


class Deliveries:
    """The deliveries of the last ten minutes.

    Args:
        clock: Monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def first(self, delivery: str) -> bool:
        """True the first time a delivery comes; False when it comes again."""
        now = self._clock.monotonic()
        with self._lock:
            self._seen = {one: at for one, at in self._seen.items() if now - at < _KEPT_SECONDS}
            new = delivery not in self._seen
            self._seen.setdefault(delivery, now)
            return new
