"""The schedule asks for what is due and not done, once, and looks again for what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.errors import StoreError
from bot.model.load import Load
from bot.ports import Task
from bot.triggers.periods import Job, Timetable
from bot.triggers.schedule import Schedule
from tests.unit.cycle.house import FakeClock

CRONS = {Job.MONTHLY: "0 4 1 * *", Job.OBSERVE: "30 3 * * *", Job.QUARTERLY: "0 5 2 1,4,7,10 *"}
TIMETABLE = Timetable(CRONS, ZoneInfo("UTC"))
CURRENT = ["monthly-2026-11", "observe-2026-11-24", "quarterly-2026Q3"]


@dataclass
class Desk:
    """A queue and a ledger: what was asked for, what runs, what is done."""

    asked: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    broken: bool = False

    def submit(self, task: Task, key: str) -> bool:
        assert task.value["period"] == key
        if key in self.running:
            return False
        self.running.add(key)
        self.asked.append(key)
        return True

    def start(self) -> None:
        """Nothing to begin."""

    def close(self) -> None:
        """Nothing to give back."""

    def depth(self) -> int:
        return len(self.running)

    def loads(self) -> dict[str, Load]:
        return {}

    def drain(self, seconds: float) -> bool:
        del seconds
        return True

    def ledger(self) -> set[str]:
        if self.broken:
            raise StoreError("the store cannot be used")
        return self.done


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def schedule(desk: Desk, clock: FakeClock) -> Iterator[Schedule]:
    made = Schedule(TIMETABLE, desk, desk.ledger, clock)
    yield made
    made.stop()


def test_what_was_missed_is_asked_for_at_start_once(desk: Desk, schedule: Schedule) -> None:
    schedule.start()
    schedule.look()

    assert desk.asked == CURRENT


def test_what_failed_as_a_whole_is_asked_for_again_and_what_is_done_is_not(
    desk: Desk, schedule: Schedule
) -> None:
    schedule.look()
    desk.running.clear()
    desk.done.add("monthly-2026-11")

    schedule.look()

    assert desk.asked == CURRENT + CURRENT[1:]


def test_the_next_month_is_asked_for_when_it_is_due_and_not_before(
    desk: Desk, schedule: Schedule, clock: FakeClock
) -> None:
    desk.done.update(CURRENT)
    clock.moment = datetime(2026, 12, 1, 3, 59, tzinfo=UTC)
    schedule.look()
    assert desk.asked == ["observe-2026-12-01"]

    clock.moment = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
    schedule.look()

    assert desk.asked[1:] == ["monthly-2026-12"]


def test_a_store_that_cannot_be_read_is_looked_into_again(desk: Desk, schedule: Schedule) -> None:
    desk.broken = True
    schedule.start()
    assert desk.asked == []
    desk.broken = False

    schedule.look()

    assert desk.asked == CURRENT


def test_it_runs_from_start_to_stop(schedule: Schedule) -> None:
    running = [schedule.running]
    schedule.start()
    running.append(schedule.running)
    schedule.stop()

    assert [*running, schedule.running] == [False, True, False]
