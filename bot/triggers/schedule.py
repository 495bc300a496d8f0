"""The schedule: APScheduler 3.x says when to look, the ledger in the store says what is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.errors import RefitError
from bot.ports import Clock, Queue, Task
from bot.triggers.periods import Job, Timetable, missed

log: Final = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 3600


class Schedule:
    """Asks the queue for the work of every current period that is due and not done.

    It looks at start, whenever a job is due, and once an hour: what failed as a whole (another
    process held the lease, a forge was down) is asked for again, and a clock that jumped loses nothing.

    Args:
        timetable: When each job is due.
        queue: Takes the work; the same period is taken once.
        done: Names of the periods that are done already, read when asked.
        clock: Wall time.
    """

    def __init__(
        self, timetable: Timetable, queue: Queue, done: Callable[[], set[str]], clock: Clock
    ) -> None:
        self._timetable, self._queue, self._done, self._clock = timetable, queue, done, clock
        # Jobs are made anew from the configuration at every start: nothing is pickled, nothing goes stale.
        self._scheduler = BackgroundScheduler(timezone=timetable.zone, daemon=True)
        for job in timetable.crons:
            self._add(job.value, _AsDue(job, timetable))
        self._add("again", IntervalTrigger(seconds=_AGAIN_SECONDS, timezone=timetable.zone))

    def start(self) -> None:
        """Catch up on what was missed, then keep time."""
        self.look()
        self._scheduler.start()

    def stop(self) -> None:
        """Ask for nothing more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return bool(self._scheduler.running)

    def look(self) -> None:
        """Ask for what is due and not done; a store that cannot be read now is looked into again later."""
        try:
            for one in missed(self._timetable, self._clock.now(), self._done()):
                self._ask(one)
        except RefitError as error:
            log.error("the schedule could not look: %s", error.message)  # noqa: TRY400 - expected

    def _add(self, name: str, trigger: BaseTrigger) -> None:
        self._scheduler.add_job(
            self.look, trigger, id=name, coalesce=True, max_instances=1, misfire_grace_time=None
        )

    def _ask(self, wanted: Task) -> None:
        if self._queue.submit(wanted, wanted.value["period"]):
            log.info("%s: asked for", wanted.value["period"])


class _AsDue(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler's trigger for a job of our timetable."""

    def __init__(self, job: Job, timetable: Timetable) -> None:
        self._job, self._timetable = job, timetable

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """APScheduler's question."""
        return self._timetable.next_due(self._job, max(now, previous_fire_time or now))
