"""Cycles and their plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import StoreError
from bot.model.driving import Driving
from bot.model.evidence import Evidence
from bot.model.run import Cycle, CycleState, Plan, RunResult
from bot.store.base import Rows, columns
from bot.store.codec import Ended, decode, encode
from bot.store.tables import CYCLES, DRIVING, EVIDENCES
from bot.store.transaction import Row, Transaction

_NEWEST: str = "ORDER BY started DESC, attempt DESC LIMIT ?"


class CycleRows(Rows):
    """Cycles: a row with a meaningful id, its plan, its result."""

    def begin(self, name: str, now: datetime) -> Cycle:
        """The unfinished cycle of this name, else a new attempt."""
        with self._writing() as writing:
            found = writing.rows(CYCLES, "WHERE name = ? ORDER BY attempt DESC LIMIT 1", name)
            newest = _cycle(found[0]) if found else None
            if newest is not None and newest.state is CycleState.RUNNING:
                return newest
            attempt = newest.attempt + 1 if newest else 1
            new = name if attempt == 1 else f"{name}.{attempt}"
            cycle = Cycle(new, name, attempt, CycleState.RUNNING, now, None)
            writing.add(CYCLES, columns(cycle))
            return cycle

    def finish(self, cycle: Cycle, result: str, now: datetime, outcome: RunResult | None = None) -> Cycle:
        """Mark a cycle done, with its result as JSON, and as a value where it has one."""
        ended = None if outcome is None else encode(_ended(outcome))
        with self._writing() as writing:
            found = _there(writing, cycle)
            writing.change(
                CYCLES, cycle.id, state=CycleState.DONE, result=result, finished=now, outcome=ended
            )
            writing.run("DELETE FROM driving WHERE cycle = ?", cycle.id)
            return replace(found, state=CycleState.DONE, finished=now)

    def outcome(self, cycle: Cycle) -> RunResult | None:
        """The result of a finished cycle as a value, or None where it has none."""
        with self._reading() as reading:
            text = reading.value(CYCLES, "outcome", _there(reading, cycle).id)
            return None if text is None else _whole(decode(Ended, text), reading)

    def drive(self, driving: Driving) -> None:
        """Let others see who drives a cycle and what it is at."""
        self._save(DRIVING, columns(driving))

    def driving(self, cycle: Cycle) -> Driving | None:
        """Who drove an unfinished cycle last, or None."""
        row = self._get(DRIVING, cycle.id)
        return None if row is None else Driving(**row)

    def cycles(self, name: str | None = None, limit: int = 50) -> tuple[Cycle, ...]:
        """Cycles, newest first."""
        if name is None:
            rows = self._rows(CYCLES, _NEWEST, limit)
        else:
            rows = self._rows(CYCLES, f"WHERE name = ? {_NEWEST}", name, limit)
        return tuple(map(_cycle, rows))

    def planned(self, limit: int = 20) -> tuple[Cycle, ...]:
        """Cycles whose plan is stored, newest first; days of other jobs do not hide them."""
        return tuple(map(_cycle, self._rows(CYCLES, f"WHERE plan IS NOT NULL {_NEWEST}", limit)))

    def result(self, cycle_id: str) -> str | None:
        """The result of a finished cycle as JSON."""
        with self._reading() as reading:
            found: str | None = reading.value(CYCLES, "result", cycle_id)
            return found

    def plan(self, cycle: Cycle) -> Plan | None:
        """The plan stored for a cycle, or None."""
        with self._reading() as reading:
            text = reading.value(CYCLES, "plan", _there(reading, cycle).id)
        return None if text is None else decode(Plan, text)

    def save_plan(self, cycle: Cycle, plan: Plan) -> None:
        """Store the plan of a cycle."""
        with self._writing() as writing:
            writing.change(CYCLES, _there(writing, cycle).id, plan=encode(plan))


def _ended(result: RunResult) -> Ended:
    bare = tuple(replace(one, evidence=()) for one in result.updates)
    keys = tuple(tuple(evidence.key for evidence in one.evidence) for one in result.updates)
    return Ended(replace(result, updates=bare), keys)


def _whole(ended: Ended, reading: Transaction) -> RunResult:
    """The result with its evidence; that which is no longer stored is left out."""
    updates = []
    for one, keys in zip(ended.result.updates, ended.evidence, strict=True):
        bodies = [body for key in keys if (body := reading.value(EVIDENCES, "body", key)) is not None]
        updates.append(replace(one, evidence=tuple(decode(Evidence, body) for body in bodies)))
    return replace(ended.result, updates=tuple(updates))


def _there(transaction: Transaction, cycle: Cycle) -> Cycle:
    """The cycle as it is stored."""
    row = transaction.get(CYCLES, cycle.id)
    if row is None:
        raise StoreError(f"the store has no cycle {cycle.id}", hint="Was its state folder removed meanwhile?")
    return _cycle(row)


def _cycle(row: Row) -> Cycle:
    return Cycle(**{**row, "state": CycleState(row["state"])})
