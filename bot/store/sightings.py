"""First-seen times, cached answers, and the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.store.base import Rows
from bot.store.tables import AuditRow, CacheRow, SightingRow


class SightingRows(Rows):
    """What registries said, and when we saw it first."""

    def first_seen(self, reference: str, digest: str) -> datetime | None:
        """When this digest was first seen behind this reference."""
        with self._session() as session:
            row = session.get(SightingRow, (reference, digest))
        return None if row is None else row.first_seen

    def sightings(self, reference: str) -> tuple[tuple[str, datetime], ...]:
        """Every digest seen behind a reference with its first time, oldest first."""
        query = (
            select(SightingRow)
            .where(SightingRow.reference == reference)
            .order_by(SightingRow.first_seen, SightingRow.digest)
        )
        with self._session() as session:
            return tuple((row.digest, row.first_seen) for row in session.scalars(query))

    def observe(self, reference: str, digest: str, now: datetime) -> datetime:
        """Record a sighting; returns the first time this digest was seen here."""
        with self._writing() as session:
            row = session.get(SightingRow, (reference, digest))
            if row is None:
                row = SightingRow(reference=reference, digest=digest, first_seen=now)
                session.add(row)
            return row.first_seen

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A cached answer and when it was stored."""
        with self._session() as session:
            row = session.get(CacheRow, (kind, key))
        return None if row is None else (row.value, row.stored)

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        """Cache an answer."""
        self._save(CacheRow(kind=kind, key=key, value=value, stored=now))

    def audit(self, who: str, what: str, detail: str, now: datetime) -> None:
        """Append to the log of who asked for what and what was done."""
        with self._writing() as session:
            # PostgreSQL keeps no NUL in a text, and what people write may hold one.
            plain = [text.replace("\0", "") for text in (who, what, detail)]
            session.add(AuditRow(who=plain[0], what=plain[1], detail=plain[2], at=now))
