"""Retention: rows that are older than they need to be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.model.retention import Expiring
from bot.store.base import Rows

_MEASUREMENTS: Final = """
DELETE FROM measurements WHERE at < ? AND NOT EXISTS (
    SELECT 1 FROM baselines
    WHERE baselines.project = measurements.project AND baselines.target = measurements.target
    AND baselines.platform = measurements.platform AND baselines.digest = measurements.base
)
"""
_CYCLES: Final = """
DELETE FROM cycles WHERE started < ? AND state = 'done' AND id NOT IN (
    SELECT id FROM cycles WHERE plan IS NOT NULL ORDER BY started DESC, attempt DESC LIMIT 1
)
"""
_STATEMENTS: Final = {
    Expiring.MEASUREMENTS: _MEASUREMENTS,
    Expiring.EVIDENCE: "DELETE FROM evidence WHERE created < ?",
    Expiring.SCANS: "DELETE FROM scans WHERE created < ?",
    Expiring.CYCLES: _CYCLES,
}


class RetentionRows(Rows):
    """Rows that have had their time."""

    def expire(self, kind: Expiring, before: datetime) -> int:
        """Remove what is older; gives how much that was.

        However old they are, a measurement that a baseline stands on stays, and so do cycles that are not
        finished and the newest one with a plan.
        """
        with self._writing() as writing:
            removed: int = writing.run(_STATEMENTS[kind], before).rowcount
            return removed
