"""What people said: snoozes, and the ledger of what was heard and told already."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.model.snooze import Snooze
from bot.store.base import Rows, columns
from bot.store.tables import LEDGER, SNOOZES
from bot.store.transaction import Row


class TalkRows(Rows):
    """Snoozes, and a ledger whose entries are made once."""

    def save_snooze(self, snooze: Snooze) -> None:
        """Store a snooze; a later one for the same image in the same project replaces it."""
        self._save(SNOOZES, columns(snooze))

    def snoozes(self, now: datetime) -> tuple[Snooze, ...]:
        """Those that have not ended, by project and image."""
        rows = self._rows(SNOOZES, "WHERE until > ? ORDER BY project, image", now)
        return tuple(Snooze(**row) for row in rows)

    def remember(self, kind: str, key: str, now: datetime, value: str = "") -> bool:
        """Note a value in the ledger; True where it was not there, so that one of many callers goes on."""
        with self._writing() as writing:
            row = writing.get(LEDGER, kind, key)
            if row is not None and row["value"] == value:
                return False
            writing.save(LEDGER, _entry(kind, key, value, now))
            return True

    def admit(self, kind: str, key: str, now: datetime, most: int, within: timedelta) -> timedelta:
        """Count something that may happen so often within a time, in whichever process.

        Args:
            kind: Of the ledger's entries.
            key: Whose.
            now: Wall time; what a clock that jumped left in the future does not count.
            most: How often.
            within: In which time.

        Returns:
            Nothing where it may happen now, else how long until it may; then it is not counted.
        """
        with self._writing() as writing:
            row = writing.get(LEDGER, kind, key)
            times = [datetime.fromisoformat(one) for one in row["value"].split()] if row else []
            recent = [one for one in times if abs(now - one) < within]
            if len(recent) >= most:
                return within - abs(now - recent[-most])
            value = " ".join(one.isoformat() for one in [*recent, now])
            writing.save(LEDGER, _entry(kind, key, value, now))
            return timedelta(0)

    def remembered(self, kind: str, key: str) -> str | None:
        """The value that the ledger holds, or None."""
        row = self._get(LEDGER, kind, key)
        return None if row is None else row["value"]

    def noted(self, kind: str) -> dict[str, str]:
        """All that the ledger holds of a kind: the value of each key."""
        return {row["key"]: row["value"] for row in self._rows(LEDGER, "WHERE kind = ?", kind)}

    def forget(self, kind: str, key: str | None = None, *, before: datetime | None = None) -> None:
        """Take entries out of the ledger: one by its key, or all of a kind that are older than `before`."""
        wanted: dict[str, object] = {"kind = ?": kind}
        if key is not None:
            wanted["key = ?"] = key
        if before is not None:
            wanted["at < ?"] = before
        with self._writing() as writing:
            writing.run(f"DELETE FROM ledger WHERE {' AND '.join(wanted)}", *wanted.values())  # noqa: S608 - constants


def _entry(kind: str, key: str, value: str, now: datetime) -> Row:
    return {"kind": kind, "key": key, "value": value, "at": now}
