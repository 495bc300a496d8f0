"""How much work there is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Work of one role, on all machines.

    Attributes:
        waiting: Tasks that nobody has begun.
        running: Tasks that somebody is at.
    """

    waiting: int
    running: int
