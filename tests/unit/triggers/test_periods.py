"""Each period runs once: over clock changes, month ends, and after a stop."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.triggers.periods import Job, Timetable, last_quarter, missed, period

BERLIN = ZoneInfo("Europe/Berlin")
CRONS = {Job.MONTHLY: "0 4 1 * *", Job.OBSERVE: "30 2 * * *", Job.QUARTERLY: "0 5 2 1,4,7,10 *"}
TIMETABLE = Timetable(CRONS, BERLIN)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


DUE = {
    "an hour before the first run of the month": ("2026-11-01T03:00", "2026-10-01T04:00"),
    "at the minute": ("2026-11-01T04:00", "2026-11-01T04:00"),
    "later in the month": ("2026-11-24T12:00", "2026-11-01T04:00"),
    "over a leap day": ("2028-02-29T12:00", "2028-02-01T04:00"),
    "on a 31st": ("2026-12-31T23:59", "2026-12-01T04:00"),
    "over the clock change in spring": ("2026-03-31T12:00", "2026-03-01T04:00"),
}


@pytest.mark.parametrize(("now", "due"), DUE.values(), ids=DUE.keys())
def test_the_last_monthly_run_is_found(now: str, due: str) -> None:
    assert TIMETABLE.last_due(Job.MONTHLY, at(now)) == at(due)


def test_a_daily_job_in_the_hour_that_the_clock_skips_still_runs_once_that_day() -> None:
    days = [TIMETABLE.last_due(Job.OBSERVE, at(f"2026-03-{day}T23:00")) for day in (28, 29, 30)]

    names = [period(Job.OBSERVE, due, BERLIN) for due in days if due]
    assert names == ["observe-2026-03-28", "observe-2026-03-29", "observe-2026-03-30"]


def test_a_daily_job_in_the_hour_that_the_clock_repeats_has_one_name_for_both() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 summer time
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 winter time

    assert period(Job.OBSERVE, first, BERLIN) == period(Job.OBSERVE, second, BERLIN)


@pytest.mark.parametrize(
    ("now", "quarter"),
    [
        ("2026-01-02T05:00", "2025Q4"),
        ("2026-04-02T05:00", "2026Q1"),
        ("2026-11-24T05:00", "2026Q3"),
        ("2026-12-31T23:59", "2026Q3"),
    ],
)
def test_the_report_is_about_the_last_complete_quarter(now: str, quarter: str) -> None:
    assert last_quarter(datetime.fromisoformat(now)) == quarter


def test_what_was_missed_is_caught_up_once_for_the_current_period_only() -> None:
    tasks = missed(TIMETABLE, at("2026-11-24T12:00"), done=["monthly-2026-08"])

    assert [task.value["period"] for task in tasks] == [
        "monthly-2026-11",
        "observe-2026-11-24",
        "quarterly-2026Q3",
    ]


def test_what_is_done_is_not_asked_for_again() -> None:
    done = ["monthly-2026-11", "observe-2026-11-24", "quarterly-2026Q3"]

    assert missed(TIMETABLE, at("2026-11-24T12:00"), done) == []
