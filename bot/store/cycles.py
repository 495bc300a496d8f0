"""Cycles and their plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.errors import StoreError
from bot.model.driving import Driving
from bot.model.run import Cycle, CycleState, Plan, RunResult
from bot.store.base import Rows
from bot.store.codec import ENDED, EVIDENCE, PLAN, Ended, decode, encode
from bot.store.tables import CycleRow, DrivingRow, EvidenceRow


class CycleRows(Rows):
    """Cycles: a row with a meaningful id, its plan, its result."""

    def begin(self, name: str, now: datetime) -> Cycle:
        """The unfinished cycle of this name, else a new attempt."""
        with self._writing() as session:
            newest = _newest(session, name)
            if newest is not None and newest.state == CycleState.RUNNING:
                return _cycle(newest)
            attempt = newest.attempt + 1 if newest else 1
            row = CycleRow(
                id=name if attempt == 1 else f"{name}.{attempt}",
                name=name,
                attempt=attempt,
                state=CycleState.RUNNING,
                started=now,
            )
            session.add(row)
            return _cycle(row)

    def finish(self, cycle: Cycle, result: str, now: datetime, outcome: RunResult | None = None) -> Cycle:
        """Mark a cycle done, with its result as JSON, and as a value where it has one."""
        with self._writing() as session:
            row = _row(session, cycle.id)
            row.state, row.result, row.finished = CycleState.DONE, result, now
            row.outcome = None if outcome is None else encode(ENDED, _ended(outcome))
            session.execute(delete(DrivingRow).where(DrivingRow.cycle == cycle.id))
            return _cycle(row)

    def outcome(self, cycle: Cycle) -> RunResult | None:
        """The result of a finished cycle as a value, or None where it has none."""
        with self._session() as session:
            text = _row(session, cycle.id).outcome
            return None if text is None else _whole(decode(ENDED, text), session)

    def drive(self, driving: Driving) -> None:
        """Let others see who drives a cycle and what it is at."""
        self._save(DrivingRow(**{name: getattr(driving, name) for name in Driving.__dataclass_fields__}))

    def driving(self, cycle: Cycle) -> Driving | None:
        """Who drove an unfinished cycle last, or None."""
        with self._session() as session:
            row = session.get(DrivingRow, cycle.id)
        return None if row is None else Driving(row.cycle, row.who, row.since, row.step, row.detail)

    def cycles(self, name: str | None = None, limit: int = 50) -> tuple[Cycle, ...]:
        """Cycles, newest first."""
        query = select(CycleRow).order_by(CycleRow.started.desc(), CycleRow.attempt.desc()).limit(limit)
        if name is not None:
            query = query.where(CycleRow.name == name)
        with self._session() as session:
            return tuple(_cycle(row) for row in session.scalars(query))

    def planned(self, limit: int = 20) -> tuple[Cycle, ...]:
        """Cycles whose plan is stored, newest first; days of other jobs do not hide them."""
        newest = select(CycleRow).order_by(CycleRow.started.desc(), CycleRow.attempt.desc()).limit(limit)
        with self._session() as session:
            return tuple(_cycle(row) for row in session.scalars(newest.where(CycleRow.plan.is_not(None))))

    def result(self, cycle_id: str) -> str | None:
        """The result of a finished cycle as JSON."""
        with self._session() as session:
            row = session.get(CycleRow, cycle_id)
            return None if row is None else row.result

    def plan(self, cycle: Cycle) -> Plan | None:
        """The plan stored for a cycle, or None."""
        with self._session() as session:
            text = _row(session, cycle.id).plan
        return None if text is None else decode(PLAN, text)

    def save_plan(self, cycle: Cycle, plan: Plan) -> None:
        """Store the plan of a cycle."""
        with self._writing() as session:
            _row(session, cycle.id).plan = encode(PLAN, plan)


def _ended(result: RunResult) -> Ended:
    bare = tuple(replace(one, evidence=()) for one in result.updates)
    keys = tuple(tuple(evidence.key for evidence in one.evidence) for one in result.updates)
    return Ended(replace(result, updates=bare), keys)


def _whole(ended: Ended, session: Session) -> RunResult:
    """The result with its evidence; that which is no longer stored is left out."""
    updates = []
    for one, keys in zip(ended.result.updates, ended.evidence, strict=True):
        rows = [row for key in keys if (row := session.get(EvidenceRow, key)) is not None]
        updates.append(replace(one, evidence=tuple(decode(EVIDENCE, row.body) for row in rows)))
    return replace(ended.result, updates=tuple(updates))


def _newest(session: Session, name: str) -> CycleRow | None:
    query = select(CycleRow).where(CycleRow.name == name).order_by(CycleRow.attempt.desc()).limit(1)
    return session.scalars(query).first()


def _row(session: Session, cycle_id: str) -> CycleRow:
    row = session.get(CycleRow, cycle_id)
    if row is None:
        raise StoreError(f"the store has no cycle {cycle_id}", hint="Was its state folder removed meanwhile?")
    return row


def _cycle(row: CycleRow) -> Cycle:
    return Cycle(row.id, row.name, row.attempt, CycleState(row.state), row.started, row.finished)
