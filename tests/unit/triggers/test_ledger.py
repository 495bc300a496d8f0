"""The schedule as people see it: what runs next, what ran last, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.commands.options import Format
from bot.commands.schedule import schedule, table
from bot.model.load import Load
from bot.report.chat import coming, status, untaken
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.triggers.ledger import last_of_each, scheduled
from bot.triggers.periods import Job, Timetable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TIMETABLE = Timetable(
    {Job.MONTHLY: "0 4 1 * *", Job.OBSERVE: "30 3 * * *", Job.CLEANUP: "0 0 30 2 *"},
    ZoneInfo("Europe/Berlin"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


def test_what_never_ran_says_so_and_whether_it_is_still_to_be_done(store: SqlStore) -> None:
    assert table(scheduled(TIMETABLE, store, NOW)).splitlines() == [
        "JOB      NEXT                      LAST  OUTCOME",
        "observe  Wed 2026-11-25 03:30 CET  -     never ran; still due",
        "monthly  Tue 2026-12-01 04:00 CET  -     never ran; still due",
        "cleanup  never (0 0 30 2 *)        -     never ran",
        "",
        "Still due: `refit serve` does it when it starts.",
    ]


def test_people_read_one_time_zone_everywhere_and_programs_utc(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cycle = store.begin("monthly-2026-07", datetime(2026, 7, 1, 2, 0, 3, tzinfo=UTC))
    berlin = ZoneInfo("Europe/Berlin")
    assert status([(cycle, "")], 0, (), berlin).lines == (
        "monthly-2026-07: running, begun 2026-07-01 04:00 CEST",
    )
    assert coming([("monthly", datetime(2026, 7, 1, 4, tzinfo=berlin))]).lines == (
        "monthly: Wednesday, 2026-07-01 04:00 CEST",
    )

    config = tmp_path / "refit.yaml"
    config.write_text(f"state: {tmp_path}\ntimezone: Europe/Berlin\nprojects: [{{name: acme/shop}}]\n")
    schedule(config=config, output=Format.JSON)
    jobs = json.loads(capsys.readouterr().out)["jobs"]
    times = [job["next"] for job in jobs] + [job["last"]["started"] for job in jobs if job["last"]]
    assert len(times) == 6
    assert all(one.endswith("+00:00") for one in times)


def test_status_names_work_that_nobody_takes_and_what_to_start() -> None:
    loads = {"drive": Load(1, 0), "prove": Load(3, 0), "publish": Load(2, 1)}

    (line,) = status([], 0, (), ZoneInfo("UTC"), untaken(loads)).lines

    assert line.startswith(
        "3 prove jobs waiting, and no machine is at one. Start `refit worker --role prove`"
    )


def test_the_last_run_is_shown_with_what_it_did(store: SqlStore) -> None:
    for name in ("monthly-2026-10", "monthly-2026-11"):
        cycle = store.begin(name, NOW)
        store.finish(cycle, json.dumps({"updates": [{}, {}], "failed": [{}]}), NOW)
    store.finish(store.begin("observe-2026-11-24", NOW), json.dumps({"asked": 7, "new": 1, "failed": 0}), NOW)
    store.begin("monthly-2026-11", NOW)

    rows = {row.job: row for row in scheduled(TIMETABLE, store, NOW)}

    assert rows[Job.OBSERVE].outcome == "7 asked, 1 new"
    assert not rows[Job.OBSERVE].missed
    last = rows[Job.MONTHLY].last
    assert last is not None
    assert last.id == "monthly-2026-11.2"
    assert rows[Job.MONTHLY].outcome == "running, or cut off"
    assert not rows[Job.MONTHLY].missed


def test_the_last_of_each_job_is_found_behind_weeks_of_daily_ones(store: SqlStore) -> None:
    store.finish(store.begin("monthly-2026-11", NOW), "{}", NOW)
    store.begin("monthly-2026-11-only-shop", NOW + timedelta(hours=1))
    for day in range(1, 29):
        store.begin(f"observe-2026-11-{day:02}", NOW + timedelta(days=day))

    assert [one.id for one in last_of_each(store)] == ["monthly-2026-11", "observe-2026-11-28"]


def test_the_times_hold_this_installations_offset_and_say_so(store: SqlStore) -> None:
    late = replace(TIMETABLE, offset=timedelta(minutes=12))

    lines = table(scheduled(late, store, NOW), late.offset).splitlines()

    assert lines[1].startswith("observe  Wed 2026-11-25 03:42 CET")
    assert lines[-1].startswith("Each begins 0:12:00 after its time")
