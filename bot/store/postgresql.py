"""PostgreSQL as the store of many machines: how its connections begin, wait and write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg

_PATIENCE_SECONDS: Final = 30.0
_AGAIN_SECONDS: Final = 0.5
# Any number will do, as long as nobody else in this database takes it: the letters of "refit".
_WRITERS: Final = 0x7265666974
# A process that was frozen in the middle of a transaction must not hold the others up for ever, and one
# whose machine is gone must be noticed.
_CONNECTING: Final = {
    "application_name": "refit",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "options": "-c idle_in_transaction_session_timeout=10s -c lock_timeout=30s",
}

_READ: Final = b"BEGIN"
# Transactions that write go one after the other, as in SQLite: one that read before it wrote would else
# overwrite what another wrote meanwhile, and two that found no row would both insert it. Ours are short.
_WRITE: Final = f"BEGIN; SELECT pg_advisory_xact_lock({_WRITERS})".encode()
_MADE: Final = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION: Final = "SELECT version_num FROM alembic_version"

Connection = psycopg.Connection[tuple[Any, ...]]


def connecting(url: str) -> dict[str, Any]:
    """What psycopg connects with."""
    return {"conninfo": url, **_CONNECTING}


class Postgresql:
    """The `Driver` for a database that many machines may share; its connections outlive a restart of it.

    Args:
        url: `postgresql://…`, password included.
    """

    failures: type[Exception] = psycopg.Error

    def __init__(self, url: str) -> None:
        self._url, self._connected = url, False

    def connect(self) -> Connection:
        """At once or not at all the first time; later connections wait for a database that restarts."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                made = psycopg.connect(**connecting(self._url), autocommit=True)
            except psycopg.OperationalError:
                if not self._connected or time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
                continue
            self._connected = True
            return made

    def alive(self, connection: Connection) -> bool:
        """Ask, for it may have ended with a database that restarted."""
        try:
            connection.execute(b"SELECT 1")
        except psycopg.Error:
            return False
        return True

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Begin a transaction."""
        connection.execute(_WRITE if writes else _READ)

    def execute(
        self, connection: Connection, sql: str, values: Sequence[object]
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Execute a statement."""
        return connection.execute(sql.replace("?", "%s").encode(), values)

    def revision(self, connection: Connection) -> str | None:
        """The revision that the tables are of; None where there are none."""
        made = connection.execute(_MADE).fetchone()
        if made is None or not made[0]:
            return None
        found = connection.execute(_REVISION).fetchone()
        return None if found is None else str(found[0])
