"""Retention: rows that are older than they need to be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, delete, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from bot.model.retention import Expiring
from bot.model.run import CycleState
from bot.store.base import Rows
from bot.store.tables import BaselineRow, CycleRow, EvidenceRow, MeasurementRow, ScanRow

_WRITTEN: Final[dict[Expiring, InstrumentedAttribute[datetime]]] = {
    Expiring.MEASUREMENTS: MeasurementRow.at,
    Expiring.EVIDENCE: EvidenceRow.created,
    Expiring.SCANS: ScanRow.created,
    Expiring.CYCLES: CycleRow.started,
}


class RetentionRows(Rows):
    """Rows that have had their time."""

    def expire(self, kind: Expiring, before: datetime) -> int:
        """Remove what is older; gives how much that was.

        However old they are, a measurement that a baseline stands on stays, and so do cycles that are not
        finished and the newest one with a plan.
        """
        written = _WRITTEN[kind]
        query = delete(written.class_).where(written < before)
        if kind is Expiring.MEASUREMENTS:
            query = query.where(~_is_baseline())
        if kind is Expiring.CYCLES:
            query = query.where(CycleRow.state == CycleState.DONE, CycleRow.id.not_in(_newest_planned()))
        with self._writing() as session:
            return session.connection().execute(query).rowcount


def _newest_planned() -> Select[str]:
    planned = select(CycleRow.id).where(CycleRow.plan.is_not(None))
    return planned.order_by(CycleRow.started.desc(), CycleRow.attempt.desc()).limit(1)


def _is_baseline() -> ColumnElement[bool]:
    return exists().where(
        and_(
            BaselineRow.project == MeasurementRow.project,
            BaselineRow.target == MeasurementRow.target,
            BaselineRow.platform == MeasurementRow.platform,
            BaselineRow.digest == MeasurementRow.base,
        )
    )
