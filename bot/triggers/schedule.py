"""The schedule: APScheduler 3.x asks for work, the ledger in the store says what ran."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from bot.ports import Clock, Queue, Task
from bot.triggers.periods import Job, Timetable, missed, task

log: Final = logging.getLogger(__name__)


class Schedule:
    """Asks the queue for each job's work when it is due, and once at start for what was missed.

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
        self._scheduler = BackgroundScheduler(timezone=timetable.zone)
        for job in Job:
            self._scheduler.add_job(
                self._due, timetable.trigger(job), args=[job], id=job.value,
                coalesce=True, max_instances=1, misfire_grace_time=None,
            )  # fmt: skip

    def start(self) -> None:
        """Catch up once, then keep time."""
        for one in missed(self._timetable, self._clock.now(), self._done()):
            self._ask(one)
        self._scheduler.start()

    def stop(self) -> None:
        """Ask for nothing more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return bool(self._scheduler.running)

    def _due(self, job: Job) -> None:
        last = self._timetable.last_due(job, self._clock.now())
        if last is None:
            return
        wanted = task(job, last, self._timetable.zone)
        if wanted.value["period"] not in self._done():
            self._ask(wanted)

    def _ask(self, wanted: Task) -> None:
        taken = self._queue.submit(wanted, wanted.value["period"])
        log.info("%s: %s", wanted.value["period"], "asked for" if taken else "under way already")
