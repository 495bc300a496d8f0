"""Which periods are due: pure functions of the schedule, the ledger and the clock.

A job never runs work itself; it asks for a cycle by the name of its period. A period that is
done is not asked for again, so a missed one is caught up once, for the current period only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.ports import Task

_LOOK_BACK = timedelta(days=100)


class Job(StrEnum):
    """What the schedule starts."""

    MONTHLY = "monthly"
    OBSERVE = "observe"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each job is due.

    Attributes:
        crons: Five-field cron expression of each job.
        zone: Time zone they are read in.
    """

    crons: dict[Job, str]
    zone: ZoneInfo

    def trigger(self, job: Job) -> CronTrigger:
        """The APScheduler trigger of a job."""
        return CronTrigger.from_crontab(self.crons[job], timezone=self.zone)

    def last_due(self, job: Job, now: datetime) -> datetime | None:
        """The latest time at or before `now` that a job was due, within the last 100 days."""
        trigger, last, moment = self.trigger(job), None, now - _LOOK_BACK
        while moment <= now:
            due = trigger.get_next_fire_time(None, moment)
            if due is None or due.astimezone(UTC) > now:
                break
            # In the hour that a clock change repeats, APScheduler may name the same time again:
            # go on from the later of both, or the loop would never end.
            last = due.astimezone(UTC)
            moment = max(last, moment.astimezone(UTC)) + timedelta(minutes=1)
        return last

    def next_due(self, job: Job, now: datetime) -> datetime | None:
        """The first time after `now` that a job is due."""
        due: datetime | None = self.trigger(job).get_next_fire_time(None, now + timedelta(microseconds=1))
        return due


def period(job: Job, due: datetime, zone: ZoneInfo) -> str:
    """Name the period a job is due for: `monthly-2026-11`, `observe-2026-11-24`, `quarterly-2026Q3`."""
    local = due.astimezone(zone)
    match job:
        case Job.MONTHLY:
            return f"monthly-{local:%Y-%m}"
        case Job.OBSERVE:
            return f"observe-{local:%Y-%m-%d}"
        case Job.QUARTERLY:
            return f"quarterly-{last_quarter(local)}"


def last_quarter(local: datetime) -> str:
    """The last complete quarter before a local time: `2026Q3`."""
    quarter = (local.month - 1) // 3
    return f"{local.year}Q{quarter}" if quarter else f"{local.year - 1}Q4"


def task(job: Job, due: datetime, zone: ZoneInfo) -> Task:
    """The work of a job in the period it is due for."""
    return Task(job.value, {"period": period(job, due, zone)})


def missed(timetable: Timetable, now: datetime, done: Iterable[str]) -> list[Task]:
    """The work of current periods that should have run already and is not in the ledger of done ones."""
    finished = set(done)
    due = [(job, last) for job in Job if (last := timetable.last_due(job, now)) is not None]
    tasks = [task(job, last, timetable.zone) for job, last in due]
    return [one for one in tasks if one.value["period"] not in finished]
