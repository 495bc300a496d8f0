"""First-seen times, cached answers, and the audit log."""

from __future__ import annotations

from datetime import datetime

from bot.store.base import Rows
from bot.store.tables import AUDIT, CACHE, SIGHTINGS


class SightingRows(Rows):
    """What registries said, and when we saw it first."""

    def first_seen(self, reference: str, digest: str) -> datetime | None:
        """When this digest was first seen behind this reference."""
        row = self._get(SIGHTINGS, reference, digest)
        return None if row is None else row["first_seen"]

    def sightings(self, reference: str) -> tuple[tuple[str, datetime], ...]:
        """Every digest seen behind a reference with its first time, oldest first."""
        rows = self._rows(SIGHTINGS, "WHERE reference = ? ORDER BY first_seen, digest", reference)
        return tuple((row["digest"], row["first_seen"]) for row in rows)

    def observe(self, reference: str, digest: str, now: datetime) -> datetime:
        """Record a sighting; returns the first time this digest was seen here."""
        with self._writing() as writing:
            row = writing.get(SIGHTINGS, reference, digest)
            if row is None:
                row = {"reference": reference, "digest": digest, "first_seen": now}
                writing.add(SIGHTINGS, row)
        first: datetime = row["first_seen"]
        return first

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A cached answer and when it was stored."""
        row = self._get(CACHE, kind, key)
        return None if row is None else (row["value"], row["stored"])

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        """Cache an answer."""
        self._save(CACHE, {"kind": kind, "key": key, "value": value, "stored": now})

    def audit(self, who: str, what: str, detail: str, now: datetime) -> None:
        """Append to the log of who asked for what and what was done."""
        # PostgreSQL keeps no NUL in a text, and what people write may hold one.
        plain = {
            name: text.replace("\0", "") for name, text in (("who", who), ("what", what), ("detail", detail))
        }
        with self._writing() as writing:
            writing.add(AUDIT, {**plain, "at": now})
