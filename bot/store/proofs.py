"""Evidence, scans, baselines and measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import inspect, select

from bot.model.evidence import Evidence
from bot.model.measurement import Baseline, Measurement
from bot.model.vulnerability import Scan
from bot.store.base import Rows
from bot.store.codec import EVIDENCE, SCAN, decode, encode
from bot.store.tables import Base, BaselineRow, EvidenceRow, MeasurementRow, ScanRow


class ProofRows(Rows):
    """What was measured, found again by the key of what went in."""

    def evidence(self, key: str) -> Evidence | None:
        """Finished evidence by the key of what went in."""
        with self._session() as session:
            row = session.get(EvidenceRow, key)
        return None if row is None else decode(EVIDENCE, row.body)

    def save_evidence(self, evidence: Evidence) -> None:
        """Store finished evidence under its key; what was finished first stays, whoever measures it again."""
        row = EvidenceRow(key=evidence.key, body=encode(EVIDENCE, evidence), created=evidence.started)
        with self._writing() as session:
            if session.get(EvidenceRow, evidence.key) is None:
                session.add(row)

    def scan(self, key: str) -> Scan | None:
        """A finished scan by its key."""
        with self._session() as session:
            row = session.get(ScanRow, key)
        return None if row is None else decode(SCAN, row.body)

    def save_scan(self, key: str, scan: Scan, now: datetime) -> None:
        """Store a finished scan."""
        self._save(ScanRow(key=key, body=encode(SCAN, scan), created=now))

    def baseline(self, project: str, target: str, platform: str) -> Baseline | None:
        """The size a target is compared with."""
        with self._session() as session:
            row = session.get(BaselineRow, (project, target, platform))
        return None if row is None else Baseline(**_columns(row))

    def save_baseline(self, baseline: Baseline) -> None:
        """Move the baseline of a target."""
        self._save(BaselineRow(**_fields(baseline)))

    def measurements(self, since: datetime, until: datetime) -> tuple[Measurement, ...]:
        """Points of all targets' time series with since ≤ at < until, oldest first."""
        query = (
            select(MeasurementRow)
            .where(MeasurementRow.at >= since, MeasurementRow.at < until)
            .order_by(MeasurementRow.at, MeasurementRow.project, MeasurementRow.target)
        )
        with self._session() as session:
            return tuple(Measurement(**_columns(row)) for row in session.scalars(query))

    def save_measurement(self, measurement: Measurement) -> None:
        """Add a point; the same cycle, target, platform and base replaces it."""
        self._save(MeasurementRow(**_fields(measurement)))


def _columns(row: Base) -> dict[str, Any]:
    return {attribute.key: getattr(row, attribute.key) for attribute in inspect(row).mapper.column_attrs}


def _fields(value: Baseline | Measurement) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
