"""How fast one registry host is asked: never more than N at once, and slower after it complained.

After a 429 a host gets one request at a time, and earns one more with every ten answers
(peers let all waiters go at once, and are refused again).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bot.errors import RegistryRateLimited
from bot.registry.budget import Budget

MOST_WAIT: Final = 60.0
LEAST_WAIT: Final = 0.1
_MOST_REFUSALS: Final = 4
_COOL_OFF: Final = 300.0
_ANSWERS_FOR_ONE_MORE: Final = 10


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
        rate: Most requests in a second, or None; as many as `most` may go without a space between them.
        budget: What is left of its limit.
        due: Monotonic second at which the next request would keep exactly to the rate.
    """

    host: str
    most: int
    allowed: int
    resume: float = 0.0
    answers: int = 0
    pauses: int = 0
    rate: float | None = None
    budget: Budget = field(default_factory=Budget)
    due: float = 0.0

    def slow(self, resume: float) -> None:
        """The host asked for a pause until a monotonic second."""
        self.allowed, self.answers, self.pauses = 1, 0, self.pauses + 1
        self.resume = max(self.resume, resume)

    def turn(self, now: float) -> float:
        """Take the next turn; the seconds until it comes."""
        if self.rate is None:
            return 0.0
        start = max(self.due, now - (self.most - 1) / self.rate)
        self.due = start + 1 / self.rate
        return max(0.0, start - now)

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
