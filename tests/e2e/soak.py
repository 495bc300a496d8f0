"""A bot's life in a process of its own, on a clock that runs fast; schedule, queue, worker, store are real.

Called with a folder. It goes on from where the last life ended, writes what time it is, and tells its
memory and open files; whoever called it may kill it at any moment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bot.cycle.parts import Parts
from bot.queue.local import LocalQueue
from bot.store.lease import lease
from bot.triggers.ledger import finished_periods
from bot.triggers.periods import Job, Timetable
from bot.triggers.schedule import Schedule
from bot.triggers.worker import OpenParts, Worker
from tests.unit.cycle.house import House, house, moved

BEGIN: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
MONTHS: Final = 60
STEP: Final = timedelta(hours=24)
CRONS: Final = {
    Job.MONTHLY: "0 4 1 * *",
    Job.OBSERVE: "30 2 * * *",
    Job.QUARTERLY: "0 5 2 1,4,7,10 *",
    Job.CLEANUP: "15 1 * * *",
}


def live(folder: Path) -> None:
    """Live until sixty months are over."""
    shop, clock_file = _shop(folder), folder / "clock"
    shop.clock.moment = datetime.fromisoformat(clock_file.read_text()) if clock_file.exists() else BEGIN
    queue = LocalQueue(Worker(_open(shop, folder)))
    timetable = Timetable(CRONS, ZoneInfo("Europe/Berlin"))
    schedule = Schedule(timetable, queue, lambda: finished_periods(shop.store), shop.clock)
    with (folder / "lives").open("a", encoding="ascii") as lives:
        while shop.clock.moment < BEGIN.replace(year=BEGIN.year + MONTHS // 12):
            schedule.look()
            while queue.depth():
                os.sched_yield()
            shop.clock.moment += STEP
            _keep(clock_file, shop.clock.moment)
            lives.write(f"{shop.clock.moment:%Y-%m-%d} {_memory()} {_files()}\n")
            lives.flush()


def _open(shop: House, folder: Path) -> OpenParts:
    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        with lease(folder / "state"):
            yield shop.parts()

    return parts


def _shop(folder: Path) -> House:
    made = house(folder, {})
    old, _ = moved(made)
    made.forge.files["acme/shop"] = {"Dockerfile": f"FROM debian:bookworm-slim@{old}\n".encode()}
    return made


def _keep(file: Path, moment: datetime) -> None:
    """Whole or not at all: a kill may come in the middle."""
    new = file.with_suffix(".new")
    new.write_text(moment.isoformat(), encoding="ascii")
    new.replace(file)


def _files() -> int:
    """Open files."""
    return len(list(Path("/proc/self/fd").iterdir()))


def _memory() -> int:
    """Resident pages."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


if __name__ == "__main__":
    live(Path(sys.argv[1]))
