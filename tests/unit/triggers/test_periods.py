"""Each period runs once: over clock changes, month ends, leap days, clocks that jump, and after a stop."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.triggers.periods import Job, Timetable, last_quarter, missed, own_offset, period

BERLIN = ZoneInfo("Europe/Berlin")
CRONS = {
    Job.MONTHLY: "0 4 1 * *",
    Job.OBSERVE: "30 2 * * *",
    Job.SBOMS: "0 6 * * *",
    Job.QUARTERLY: "0 5 2 1,4,7,10 *",
    Job.CLEANUP: "15 1 * * *",
}
TIMETABLE = Timetable(CRONS, BERLIN)
CURRENT = [
    "monthly-2026-11",
    "observe-2026-11-24",
    "sboms-2026-11-24",
    "quarterly-2026Q3",
    "cleanup-2026-11-24",
]


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def monthly(cron: str) -> Timetable:
    return Timetable(CRONS | {Job.MONTHLY: cron}, BERLIN)


DUE = {
    "an hour before the first run of the month": ("0 4 1 * *", "2026-11-01T03:00", "2026-10-01T04:00"),
    "at the minute": ("0 4 1 * *", "2026-11-01T04:00", "2026-11-01T04:00"),
    "later in the month": ("0 4 1 * *", "2026-11-24T12:00", "2026-11-01T04:00"),
    "over a leap day": ("0 4 1 * *", "2028-02-29T12:00", "2028-02-01T04:00"),
    "on a leap day": ("0 4 29 * *", "2028-03-01T12:00", "2028-02-29T04:00"),
    "on the 29th, in a year without a leap day": ("0 4 29 * *", "2027-03-01T12:00", "2027-01-29T04:00"),
    "on the 30th, after February": ("0 4 30 * *", "2027-03-15T12:00", "2027-01-30T04:00"),
    "on a 31st": ("0 4 31 * *", "2026-12-31T23:59", "2026-12-31T04:00"),
    "on the 31st, in a month of 30 days": ("0 4 31 * *", "2026-11-30T23:59", "2026-10-31T04:00"),
    "on the last day, whichever it is": ("0 4 last * *", "2027-03-01T00:00", "2027-02-28T04:00"),
    "over the clock change in spring": ("0 4 1 * *", "2026-03-31T12:00", "2026-03-01T04:00"),
    "over the turn of the year": ("0 4 1 * *", "2027-01-01T03:59", "2026-12-01T04:00"),
}


@pytest.mark.parametrize(("cron", "now", "due"), DUE.values(), ids=DUE.keys())
def test_the_last_monthly_run_is_found(cron: str, now: str, due: str) -> None:
    assert monthly(cron).last_due(Job.MONTHLY, at(now)) == at(due)


def test_an_offset_moves_when_it_begins_and_not_the_period_that_it_is_for() -> None:
    late = Timetable(CRONS | {Job.OBSERVE: "50 23 * * *"}, BERLIN, timedelta(minutes=20))

    assert late.next_due(Job.OBSERVE, at("2026-11-24T23:55")) == at("2026-11-25T00:10")
    assert late.last_due(Job.OBSERVE, at("2026-11-25T00:09")) == at("2026-11-23T23:50")
    assert late.last_due(Job.OBSERVE, at("2026-11-25T00:10")) == at("2026-11-24T23:50")
    names = {one.name: one.value["period"] for one in missed(late, at("2026-11-25T00:10"), ())}
    assert names["observe"] == "observe-2026-11-24"


def test_the_first_of_a_month_is_waited_for_in_the_month() -> None:
    late = Timetable(CRONS, BERLIN, timedelta(minutes=20))

    assert late.next_due(Job.MONTHLY, at("2026-11-01T04:05")) == at("2026-11-01T04:20")
    assert late.last_due(Job.MONTHLY, at("2026-11-01T04:19")) == at("2026-10-01T04:00")


def test_installations_are_spread_and_each_keeps_its_offset() -> None:
    span = timedelta(minutes=30)
    offsets = [own_offset(f"/var/lib/refit acme/shop-{number}", span) for number in range(600)]

    assert offsets == [own_offset(f"/var/lib/refit acme/shop-{number}", span) for number in range(600)]
    a_minute = Counter(int(one.total_seconds()) // 60 for one in offsets)
    assert set(a_minute) == set(range(30))
    assert max(a_minute.values()) < 50
    assert own_offset("anything", timedelta(0)) == timedelta(0)


NEXT = {
    "spring: the hour that is skipped comes an hour later": (
        "30 2 * * *",
        "2026-03-28T12:00",
        "2026-03-29T01:30Z",
    ),
    "spring: the day after is at its time again": ("30 2 * * *", "2026-03-29T12:00", "2026-03-30T00:30Z"),
    "autumn: the first of the two hours": ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30Z"),
    "autumn: an hour that comes once": ("30 3 * * *", "2026-10-24T12:00", "2026-10-25T02:30Z"),
}


@pytest.mark.parametrize(("cron", "now", "due"), NEXT.values(), ids=NEXT.keys())
def test_the_next_run_over_a_clock_change(cron: str, now: str, due: str) -> None:
    timetable = Timetable(CRONS | {Job.OBSERVE: cron}, BERLIN)

    found = timetable.next_due(Job.OBSERVE, at(now))

    assert found is not None
    assert found.astimezone(UTC) == datetime.fromisoformat(due)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 0 * * *"])
@pytest.mark.parametrize("month", [date(2028, 3, 8), date(2028, 10, 20)], ids=["spring", "autumn"])
def test_a_daily_job_runs_once_on_each_day_around_a_clock_change(month: date, cron: str, zone: str) -> None:
    timetable = Timetable(CRONS | {Job.OBSERVE: cron}, ZoneInfo(zone))
    moment = datetime(month.year, month.month, month.day, tzinfo=UTC)
    named: dict[str, datetime] = {}
    for _ in range(30 * 24):  # a look every hour
        due = timetable.last_due(Job.OBSERVE, moment)
        assert due is not None
        named.setdefault(period(Job.OBSERVE, due, timetable.zone), moment)
        moment += timedelta(hours=1)

    days = [f"observe-{month + timedelta(days=number)}" for number in range(1, 29)]
    assert [day for day in days if day not in named] == []
    gaps = [named[after] - named[before] for before, after in itertools.pairwise(days)]
    assert all(timedelta(hours=22) <= gap <= timedelta(hours=26) for gap in gaps)


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


def asked_for(now: str, *done: str) -> list[str]:
    return [task.value["period"] for task in missed(TIMETABLE, at(now), done)]


def test_what_was_missed_is_caught_up_once_for_the_current_period_only() -> None:
    assert asked_for("2026-11-24T12:00", "monthly-2026-08", "quarterly-2026Q1") == CURRENT


def test_what_is_done_is_not_asked_for_again() -> None:
    assert asked_for("2026-11-24T12:00", *CURRENT) == []


def lived_through(first: str, last: str) -> Counter[str]:
    """What a bot has asked for that looked every five hours from one time to another."""
    asked: Counter[str] = Counter()
    moment = at(first)
    while moment <= at(last):
        asked.update(one.value["period"] for one in missed(TIMETABLE, moment, asked))
        moment += timedelta(hours=5)
    return asked


JUMPS = {
    "an hour back": ("2026-11-24T11:00", []),
    "a day back": ("2026-11-23T12:00", []),
    "a month back": ("2026-10-24T12:00", []),
    "over a clock change back": ("2026-10-25T02:30", []),
    "an hour on": ("2026-11-24T13:00", []),
    "a day on": ("2026-11-25T12:00", ["observe-2026-11-25", "sboms-2026-11-25", "cleanup-2026-11-25"]),
    "a week on, to the next month": (
        "2026-12-01T12:00",
        ["monthly-2026-12", "observe-2026-12-01", "sboms-2026-12-01", "cleanup-2026-12-01"],
    ),
    "a year on": (
        "2027-11-24T12:00",
        [
            "monthly-2027-11",
            "observe-2027-11-24",
            "sboms-2027-11-24",
            "quarterly-2027Q3",
            "cleanup-2027-11-24",
        ],
    ),
}


@pytest.mark.parametrize(("now", "asked"), JUMPS.values(), ids=JUMPS.keys())
def test_a_clock_that_jumps_doubles_nothing_and_skips_nothing(now: str, asked: list[str]) -> None:
    done = lived_through("2026-09-30T12:00", "2026-11-24T12:00")

    assert set(done.values()) == {1}
    assert asked_for(now, *done) == asked
    assert asked_for("2026-11-24T12:00", *done, *asked) == []  # and when it is put right


def test_what_has_a_name_of_its_own_does_not_stand_for_a_period() -> None:
    done = ["monthly-2026-11-only-backend", "release-2026-12", "monthly-2027-01"]

    assert "monthly-2026-12" in asked_for("2026-12-01T12:00", *done)
