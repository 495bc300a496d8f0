"""Evidence, scans, baselines and measurements."""

from __future__ import annotations

from datetime import datetime

from bot.model.evidence import Evidence, SideName
from bot.model.measurement import Baseline, Measurement
from bot.model.vulnerability import Scan
from bot.store.base import Rows, columns
from bot.store.codec import decode, encode
from bot.store.tables import BASELINES, EVIDENCES, MEASUREMENTS, SCANS


class ProofRows(Rows):
    """What was measured, found again by the key of what went in."""

    def evidence(self, key: str) -> Evidence | None:
        """Finished evidence by the key of what went in."""
        row = self._get(EVIDENCES, key)
        return None if row is None else decode(Evidence, row["body"])

    def save_evidence(self, evidence: Evidence) -> None:
        """Store finished evidence under its key; what was finished first stays, whoever measures it again."""
        row = {"key": evidence.key, "body": encode(evidence), "created": evidence.started}
        with self._writing() as writing:
            if writing.value(EVIDENCES, "key", evidence.key) is None:
                writing.add(EVIDENCES, row)

    def scan(self, key: str) -> Scan | None:
        """A finished scan by its key."""
        row = self._get(SCANS, key)
        return None if row is None else decode(Scan, row["body"])

    def save_scan(self, key: str, scan: Scan, now: datetime) -> None:
        """Store a finished scan."""
        self._save(SCANS, {"key": key, "body": encode(scan), "created": now})

    def baseline(self, project: str, target: str, platform: str) -> Baseline | None:
        """The size a target is compared with."""
        row = self._get(BASELINES, project, target, platform)
        return None if row is None else Baseline(**row)

    def save_baseline(self, baseline: Baseline) -> None:
        """Move the baseline of a target."""
        self._save(BASELINES, columns(baseline))

    def measurements(self, since: datetime, until: datetime) -> tuple[Measurement, ...]:
        """Points of all targets' time series with since ≤ at < until, oldest first."""
        rows = self._rows(MEASUREMENTS, "WHERE at >= ? AND at < ? ORDER BY at, project, target", since, until)
        return tuple(Measurement(**{**row, "side": SideName(row["side"])}) for row in rows)

    def save_measurement(self, measurement: Measurement) -> None:
        """Add a point; the same cycle, target, platform and base replaces it."""
        self._save(MEASUREMENTS, columns(measurement))
