"""What runs next, and what ran last with its outcome: the timetable beside the store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.cycle.known import is_whole
from bot.model.run import Cycle, CycleState
from bot.ports import Store
from bot.triggers.periods import Job, Timetable, missed

_LEDGER: Final = 2000
# What a result counts, in the order people ask for it; lists count their items.
_COUNTED: Final = (
    "updates", "asked", "rescanned", "new", "urls", "waiting", "abandoned", "rows", "artifacts", "failed",
)  # fmt: skip
_WORDS: Final = {"urls": "reports", "rows": "rows removed", "artifacts": "documents removed"}


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job of the timetable.

    Attributes:
        job: Which.
        cron: When, as configured.
        due: When it is due next, in the configured zone; None where never.
        missed: True where the current period is still to be done: a start of `refit serve` asks for it.
        last: The newest run of it, or None.
        outcome: What that run did, in words.
    """

    job: Job
    cron: str
    due: datetime | None
    missed: bool
    last: Cycle | None
    outcome: str


def scheduled(timetable: Timetable, store: Store, now: datetime) -> list[Scheduled]:
    """Every job with its next and its last run, the one that is due next first."""
    cycles = store.cycles(limit=_LEDGER)
    waiting = {one.name for one in missed(timetable, now, done(cycles))}
    newest = _newest(cycles)
    rows = []
    for job, cron in timetable.crons.items():
        last = newest.get(job)
        told = outcome(store, last) if last else ""
        rows.append(Scheduled(job, cron, timetable.next_due(job, now), job in waiting, last, told))
    return sorted(rows, key=lambda row: (row.due is None, row.due, row.job))


def last_of_each(store: Store) -> list[Cycle]:
    """The newest cycle of each job that ever ran, in the order of the jobs."""
    return list(_newest(store.cycles(limit=_LEDGER)).values())


def over_all(cycles: Iterable[Cycle]) -> list[Cycle]:
    """Those over all projects: what a person asked for one target says nothing of the rest."""
    return [one for one in cycles if is_whole(one)]


def _newest(cycles: Iterable[Cycle]) -> dict[Job, Cycle]:
    whole = over_all(cycles)
    found = {job: next((one for one in whole if one.name.startswith(f"{job}-")), None) for job in Job}
    return {job: cycle for job, cycle in found.items() if cycle is not None}


def done(cycles: Iterable[Cycle]) -> set[str]:
    """Names of the periods that are done."""
    return {cycle.name for cycle in cycles if cycle.state is CycleState.DONE}


def finished_periods(store: Store) -> set[str]:
    """Names of the periods that are done, from the store."""
    return done(store.cycles(limit=_LEDGER))


def outcome(store: Store, cycle: Cycle) -> str:
    """What a run did, in words: `2 updates, 1 failed`."""
    if cycle.state is not CycleState.DONE:
        return "running, or cut off"
    result = json.loads(store.result(cycle.id) or "{}")
    first, *more = [(key, _count(result[key])) for key in _COUNTED if key in result] or [("", 0)]
    told = [first, *((key, number) for key, number in more if number)]
    return ", ".join(f"{number} {_WORDS.get(key, key)}" for key, number in told if key) or "done"


def _count(value: object) -> int:
    return len(value) if isinstance(value, list) else int(str(value))
