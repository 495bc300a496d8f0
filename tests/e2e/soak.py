"""A bot's life in a process of its own, on a clock that runs fast; schedule, queue, worker, store are real.

Called with a folder. It goes on from where the last life ended, writes what time it is and what it tells
people, and its memory, open files and the size of its store; whoever called it may kill it at any moment.
Trivy's database is another one every day, and knows of one more critical vulnerability in each quarter.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from bot.cycle.parts import Parts
from bot.model.notice import NoticeKind
from bot.model.run import CycleState
from bot.model.vulnerability import Database, Package, Severity, Vulnerability
from bot.queue.local import LocalQueue
from bot.store.lease import lease
from bot.triggers.ledger import finished_periods
from bot.triggers.notify import News, Notifier
from bot.triggers.periods import Job, Timetable
from bot.triggers.schedule import Schedule
from bot.triggers.worker import OpenParts, Worker
from tests.unit.cycle.house import House, house, moved, scan

BEGIN: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
MONTHS: Final = 60
_A_WEEK: Final = 30  # of runs
STEP: Final = timedelta(hours=24)  # at 1:00 or 2:00 in Berlin: each job is due once between two of them
CRONS: Final = {
    Job.MONTHLY: "0 4 1 * *",
    Job.OBSERVE: "30 2 * * *",
    Job.SBOMS: "0 6 * * *",
    Job.QUARTERLY: "0 5 2 1,4,7,10 *",
    Job.CLEANUP: "45 3 * * *",
}


def live(folder: Path) -> None:
    """Live until sixty months are over."""
    shop, clock_file = _shop(folder), folder / "clock"
    shop.clock.moment = datetime.fromisoformat(clock_file.read_text()) if clock_file.exists() else BEGIN
    news = News(Notifier(["told"], [NoticeKind.CRITICAL], shop.store, shop.clock, _teller(folder)))
    queue = LocalQueue(Worker(_open(shop, folder), news=news))
    timetable = Timetable(CRONS, ZoneInfo("Europe/Berlin"))
    schedule = Schedule(timetable, queue, lambda: finished_periods(shop.store), shop.clock)
    written = set[str]()
    with (folder / "lives").open("a", encoding="ascii") as lives, (folder / "done").open("a") as done:
        while shop.clock.moment < BEGIN.replace(year=BEGIN.year + MONTHS // 12):
            _new_day(shop)
            schedule.look()
            while queue.depth():
                time.sleep(0.0005)
            shop.clock.moment += STEP
            _keep(clock_file, shop.clock.moment)
            lives.write(f"{shop.clock.moment:%Y-%m-%d} {_memory()} {_files()} {_stored(folder)}\n")
            lives.flush()
            _note(shop, done, written)


def _note(shop: House, done: TextIO, written: set[str]) -> None:
    """Write down what is done: the store lets go of it when it has had its time."""
    ids = {one.id for one in shop.store.cycles(limit=_A_WEEK) if one.state is CycleState.DONE} - written
    done.write("".join(f"{one}\n" for one in sorted(ids)))
    done.flush()
    written |= ids


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
    made.scanner.otherwise = lambda request: scan(request.subject, *_known(made.clock.now()))
    return made


def _new_day(shop: House) -> None:
    """A new database; what only the tests' own parts remember is forgotten, or it would look like a leak."""
    today = shop.clock.now()
    shop.scanner.snapshot = Database(f"sha256:{today:%Y%m%d}".ljust(71, "0"), today, 2)
    for remembered in (shop.scanner.scanned, shop.registry.asked, shop.progress.lines):
        remembered.clear()


def _known(now: datetime) -> list[Vulnerability]:
    """One more in each quarter; those of the last two years, for what is older has been fixed."""
    quarters = [now.year * 4 + (now.month - 1) // 3 - back for back in range(8)]
    first = BEGIN.year * 4
    package = Package("openssl", "1", "debian")
    names = [f"CVE-{one // 4}-{one % 4 + 1}" for one in quarters if one > first]
    return [Vulnerability(name, package, Severity.CRITICAL, "2") for name in names]


def _teller(folder: Path) -> Callable[[str, str, str], bool]:
    """A destination that takes everything, and writes it down at once."""

    def send(_: str, head: str, text: str) -> bool:
        with (folder / "told").open("a", encoding="utf-8") as told:
            told.write(f"{head} {text}".replace("\n", " ") + "\n")
        return True

    return send


def _keep(file: Path, moment: datetime) -> None:
    """Whole or not at all: a kill may come in the middle."""
    new = file.with_suffix(".new")
    new.write_text(moment.isoformat(), encoding="ascii")
    new.replace(file)


def _files() -> int:
    """Open files."""
    return len(list(Path("/proc/self/fd").iterdir()))


def _stored(folder: Path) -> int:
    """Bytes of the store."""
    return (folder / "state" / "refit.sqlite3").stat().st_size


def _memory() -> int:
    """Resident pages."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


if __name__ == "__main__":
    live(Path(sys.argv[1]))
