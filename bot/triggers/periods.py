"""Which periods are due: pure functions of the schedule, the ledger and the clock.

A job never runs work itself; it asks for a cycle by the name of its period. A period that is
done is not asked for again, so a missed one is caught up once, for the current period only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.ports import Task

# Tried one after the other: most jobs are daily, and the longest period is a quarter.
_SHIFT = timedelta(days=1)  # more than any clock change moves
_LOOK_BACK = (timedelta(days=2), timedelta(days=33), timedelta(days=100))


class Job(StrEnum):
    """What the schedule starts."""

    MONTHLY = "monthly"
    OBSERVE = "observe"
    SBOMS = "sboms"
    QUARTERLY = "quarterly"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each job is due.

    Attributes:
        crons: Five-field cron expression of each job.
        zone: Time zone they are read in.
        offset: How much later each job begins: this installation's own part of `schedule.spread`.
    """

    crons: dict[Job, str]
    zone: ZoneInfo
    offset: timedelta = timedelta(0)

    def last_due(self, job: Job, now: datetime) -> datetime | None:
        """The latest time that a job was to begin at or before `now`, within the last 100 days.

        It is given as its expression has it, without the offset: that names the period.
        """
        for span in _LOOK_BACK:
            found = [due for due in self._due(job, now - span, now + _SHIFT) if due + self.offset <= now]
            if found:
                return found[-1]
        return None

    def next_due(self, job: Job, now: datetime) -> datetime | None:
        """The first time after `now` that a job begins."""
        due = (one + self.offset for one in self._due(job, now - _SHIFT - self.offset))
        found = next((one for one in due if one > now), None)
        return found.astimezone(self.zone) if found else None

    def _due(self, job: Job, since: datetime, until: datetime | None = None) -> Iterator[datetime]:
        """When a job is due, oldest first.

        The expression is read on a clock without changes, and each time put into the zone after: APScheduler
        itself leaves out a midnight that follows the day of a change. A time that a change skips is due an
        hour later, one that it repeats the first time only.
        """
        trigger = CronTrigger.from_crontab(self.crons[job], timezone=UTC)
        moment = since.astimezone(self.zone).replace(tzinfo=UTC)
        end = until.astimezone(self.zone).replace(tzinfo=UTC) if until else None
        while (due := trigger.get_next_fire_time(None, moment)) is not None and (end is None or due <= end):
            yield due.replace(tzinfo=self.zone).astimezone(UTC)
            moment = due + timedelta(minutes=1)


def own_offset(seed: str, spread: timedelta) -> timedelta:
    """An installation's part of a span: the same at every start, and another one's is another.

    Where all of them asked their registries in the same minute of the night, those would be busy in it.

    Args:
        seed: What tells this installation from others.
        spread: The span.
    """
    part = int.from_bytes(hashlib.sha256(seed.encode(errors="surrogatepass")).digest()[:8])
    return timedelta(seconds=part % max(1, int(spread.total_seconds())))


def period(job: Job, due: datetime, zone: ZoneInfo) -> str:
    """Name the period a job is due for: `monthly-2026-11`, `observe-2026-11-24`, `quarterly-2026Q3`."""
    local = due.astimezone(zone)
    match job:
        case Job.MONTHLY:
            return f"monthly-{local:%Y-%m}"
        case Job.OBSERVE | Job.SBOMS | Job.CLEANUP:
            return f"{job}-{local:%Y-%m-%d}"
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
    due = [(job, last) for job in timetable.crons if (last := timetable.last_due(job, now)) is not None]
    tasks = [task(job, last, timetable.zone) for job, last in due]
    return [one for one in tasks if one.value["period"] not in finished]
