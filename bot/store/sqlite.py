"""SQLite as the store of one machine: how its connections begin, wait and write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_SCHEME: Final = "sqlite:///"
_BUSY_SECONDS: Final = 30.0  # covers eight writing threads
_MADE: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
_REVISION: Final = "SELECT version_num FROM alembic_version"


class Sqlite:
    """The `Driver` for a file.

    Args:
        url: `sqlite:///FILE`.
    """

    failures: type[Exception] = sqlite3.Error

    def __init__(self, url: str) -> None:
        self._file = url.removeprefix(_SCHEME)

    def connect(self) -> sqlite3.Connection:
        """A connection that any one thread at a time may use; WAL lets readers go on while one writes."""
        connection = sqlite3.connect(
            self._file,
            timeout=_BUSY_SECONDS,
            detect_types=sqlite3.PARSE_DECLTYPES,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def alive(self, _: sqlite3.Connection) -> bool:
        """A file does not go away."""
        return True

    def begin(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        """Begin a transaction; one that writes takes its lock first.

        A transaction that read before it wrote would fail at once, without waiting, where another one
        wrote meanwhile (SQLITE_BUSY_SNAPSHOT), and two that found no row would both insert it.
        """
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def execute(self, connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> sqlite3.Cursor:
        """Execute a statement; moments are texts in UTC, which sort by time."""
        return connection.execute(
            sql, [_text(value) if isinstance(value, datetime) else value for value in values]
        )

    def revision(self, connection: sqlite3.Connection) -> str | None:
        """The revision that the tables are of; None where there are none."""
        if connection.execute(_MADE).fetchone() is None:
            return None
        found = connection.execute(_REVISION).fetchone()
        return None if found is None else str(found[0])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode()).replace(tzinfo=UTC)


def _truth(text: bytes) -> bool:
    return text == b"1"


# By the types that the columns are declared with.
sqlite3.register_converter("DATETIME", _moment)
sqlite3.register_converter("BOOLEAN", _truth)
