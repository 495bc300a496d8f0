"""What others see of a cycle while it is driven, who does and what it is at; and following it by that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.cycle.parts import Parts
from bot.model.driving import Driving
from bot.model.run import Cycle, CycleState, RunResult
from bot.ports import Clock, Progress, Store

# Details may come many a second; people who look from outside need fewer.
_DETAIL_SECONDS: Final = 1.0


class Shown:
    """The `Progress` port of a cycle that is driven here: told beside, and shown to others.

    Args:
        parts: The collaborators; their progress is told the same.
        cycle: The cycle.
    """

    def __init__(self, parts: Parts, cycle: Cycle) -> None:
        self._beside, self._store, self._clock = parts.progress, parts.store, parts.clock
        self._shown = Driving(cycle.id, parts.who, parts.clock.now())
        self._last = self._clock.monotonic()
        self._store.drive(self._shown)

    def step(self, text: str) -> None:
        """A step begins."""
        self._beside.step(text)
        self._show(text, "")

    def detail(self, text: str) -> None:
        """Something inside the current step; of many at once, some are shown."""
        self._beside.detail(text)
        if self._clock.monotonic() - self._last >= _DETAIL_SECONDS:
            self._show(self._shown.step, text)

    def _show(self, step: str, detail: str) -> None:
        self._last = self._clock.monotonic()
        self._shown = Driving(self._shown.cycle, self._shown.who, self._shown.since, step, detail)
        self._store.drive(self._shown)


@dataclass(slots=True)
class Follower:
    """Follows the cycle of a name that another process drives, or waits until it may be driven here.

    Attributes:
        store: Where the cycle is seen.
        name: Of the cycle.
        progress: Told what its driver is doing.
        clock: Wall time.
        joined: Who drives it, once it was seen driven; None before.
    """

    store: Store
    name: str
    progress: Progress
    clock: Clock
    joined: Driving | None = None
    _told: tuple[str, str] = ("", "")
    _begun: datetime = field(init=False)

    def __post_init__(self) -> None:
        """What ends from now on is what was followed."""
        self._begun = self.clock.now()

    def look(self, who: str) -> RunResult | None:
        """Look once: the result of the cycle, where it has ended since this began.

        Args:
            who: The process that holds the lease now; empty where nobody is known to.
        """
        newest = next(iter(self.store.cycles(self.name, limit=1)), None)
        if newest is None:
            return None
        if newest.state is CycleState.DONE:
            return self._result(newest)
        seen = self.store.driving(newest)
        if seen is not None and seen.who == who:
            self.joined = seen
        return None

    def tell(self) -> None:
        """Tell what its driver was doing at the last look, where that is new."""
        seen = self.joined
        if seen is None:
            return
        if seen.step and seen.step != self._told[0]:
            self.progress.step(seen.step)
        if seen.detail and (seen.step, seen.detail) != self._told:
            self.progress.detail(seen.detail)
        self._told = (seen.step, seen.detail)

    def _result(self, cycle: Cycle) -> RunResult | None:
        followed = self.joined is not None and self.joined.cycle == cycle.id
        since = cycle.finished is not None and cycle.finished >= self._begun
        return self.store.outcome(cycle) if followed or since else None
