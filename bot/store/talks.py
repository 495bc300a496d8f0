"""What people said: snoozes, and the ledger of what was heard and told already."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from bot.model.snooze import Snooze
from bot.store.base import Rows
from bot.store.tables import LedgerRow, SnoozeRow


class TalkRows(Rows):
    """Snoozes, and a ledger whose entries are made once."""

    def save_snooze(self, snooze: Snooze) -> None:
        """Store a snooze; a later one for the same image in the same project replaces it."""
        fields = {name: getattr(snooze, name) for name in Snooze.__dataclass_fields__}
        self._save(SnoozeRow(**fields))

    def snoozes(self, now: datetime) -> tuple[Snooze, ...]:
        """Those that have not ended, by project and image."""
        query = select(SnoozeRow).where(SnoozeRow.until > now).order_by(SnoozeRow.project, SnoozeRow.image)
        with self._session() as session:
            return tuple(
                Snooze(row.project, row.image, row.who, row.reason, row.at, row.until)
                for row in session.scalars(query)
            )

    def remember(self, kind: str, key: str, now: datetime, value: str = "") -> bool:
        """Note a value in the ledger; True where it was not there, so that one of many callers goes on."""
        with self._writing() as session:
            row = session.get(LedgerRow, (kind, key))
            if row is not None and row.value == value:
                return False
            session.merge(LedgerRow(kind=kind, key=key, value=value, at=now))
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
        with self._writing() as session:
            row = session.get(LedgerRow, (kind, key))
            times = [datetime.fromisoformat(one) for one in row.value.split()] if row else []
            recent = [one for one in times if abs(now - one) < within]
            if len(recent) >= most:
                return within - abs(now - recent[-most])
            value = " ".join(one.isoformat() for one in [*recent, now])
            session.merge(LedgerRow(kind=kind, key=key, value=value, at=now))
            return timedelta(0)

    def remembered(self, kind: str, key: str) -> str | None:
        """The value that the ledger holds, or None."""
        with self._session() as session:
            row = session.get(LedgerRow, (kind, key))
        return None if row is None else row.value

    def forget(self, kind: str, key: str | None = None, *, before: datetime | None = None) -> None:
        """Take entries out of the ledger: one by its key, or all of a kind that are older than `before`."""
        query = delete(LedgerRow).where(LedgerRow.kind == kind)
        if key is not None:
            query = query.where(LedgerRow.key == key)
        if before is not None:
            query = query.where(LedgerRow.at < before)
        with self._writing() as session:
            session.execute(query)
