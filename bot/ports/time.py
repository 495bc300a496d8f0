"""Time and progress: what long work is told by, and what it tells."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: wall time for policy, monotonic time for deadlines."""

    def now(self) -> datetime:
        """The current time in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class Progress(Protocol):
    """Where long work says what it is doing; on a terminal a person watches."""

    def step(self, text: str) -> None:
        """A step of the run begins."""
        ...

    def detail(self, text: str) -> None:
        """Something worth a line inside the current step."""
        ...
