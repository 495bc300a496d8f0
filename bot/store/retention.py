"""Retention: rows that are older than they need to be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists
from sqlalchemy.orm import InstrumentedAttribute

from bot.model.retention import Expiring
from bot.store.base import Rows
from bot.store.tables import BaselineRow, EvidenceRow, MeasurementRow, ScanRow

_WRITTEN: Final[dict[Expiring, InstrumentedAttribute[datetime]]] = {
    Expiring.MEASUREMENTS: MeasurementRow.at,
    Expiring.EVIDENCE: EvidenceRow.created,
    Expiring.SCANS: ScanRow.created,
}


class RetentionRows(Rows):
    """Rows that have had their time."""

    def expire(self, kind: Expiring, before: datetime) -> int:
        """Remove what is older; gives how much that was.

        A measurement that a baseline stands on stays, however old it is.
        """
        written = _WRITTEN[kind]
        query = delete(written.class_).where(written < before)
        if kind is Expiring.MEASUREMENTS:
            query = query.where(~_is_baseline())
        with self._writing() as session:
            return session.connection().execute(query).rowcount


def _is_baseline() -> ColumnElement[bool]:
    return exists().where(
        and_(
            BaselineRow.project == MeasurementRow.project,
            BaselineRow.target == MeasurementRow.target,
            BaselineRow.platform == MeasurementRow.platform,
            BaselineRow.digest == MeasurementRow.base,
        )
    )
