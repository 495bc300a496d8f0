"""Who drives a cycle, and what it is at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Driving:
    """What others see of a cycle in progress.

    Attributes:
        cycle: Its id.
        who: The process that drives it, as its lease names it: `HOST process PID`.
        since: When that process began, or went on with it.
        step: What it is doing.
        detail: Something inside that step; empty for nothing.
    """

    cycle: str
    who: str
    since: datetime
    step: str = ""
    detail: str = ""
