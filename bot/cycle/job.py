"""What one proof is about: the update, the platform, the files, and what to work with."""

from __future__ import annotations

from dataclasses import dataclass

from bot.cycle.parts import Parts
from bot.model.evidence import BasePair
from bot.model.run import Cycle, Planned
from bot.ports import Checkout


@dataclass(frozen=True, slots=True)
class ProofJob:
    """One update on one platform, to be proved.

    Attributes:
        planned: The update.
        pair: Its bases on one platform.
        checkout: The project's files at the commit it was planned on.
        parts: The collaborators.
        cycle: The cycle it is proved in.
        may_build: False when this cycle has built as much as it may.
    """

    planned: Planned
    pair: BasePair
    checkout: Checkout
    parts: Parts
    cycle: Cycle
    may_build: bool

    def say(self, text: str) -> None:
        """Tell the progress what is being done."""
        self.parts.progress.detail(f"{self.planned.subject}: {text} ({self.pair.platform})")
