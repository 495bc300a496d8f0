"""Cycles and their plans."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import StoreError
from bot.model.run import Cycle, CycleState, Plan
from bot.store.base import Rows
from bot.store.codec import PLAN, decode, encode
from bot.store.tables import CycleRow


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

    def finish(self, cycle: Cycle, result: str, now: datetime) -> Cycle:
        """Mark a cycle done, with its result as JSON."""
        with self._writing() as session:
            row = _row(session, cycle.id)
            row.state, row.result, row.finished = CycleState.DONE, result, now
            return _cycle(row)

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
