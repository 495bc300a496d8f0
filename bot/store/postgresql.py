"""PostgreSQL as the store of many machines: how its connections begin, wait and write."""

from __future__ import annotations

import time
from typing import Any, Final, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.pool import ConnectionPoolEntry

from bot.store.base import writes

_SCHEME: Final = "postgresql"
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


def connecting(url: str) -> dict[str, Any]:
    """What psycopg connects with, for connections that SQLAlchemy does not make (the lease, the queue)."""
    return {
        "conninfo": make_url(url).set(drivername=_SCHEME).render_as_string(hide_password=False)
    } | _CONNECTING


def postgresql_engine(url: URL) -> Engine:
    """An engine whose connections outlive a restart of the database."""
    engine = create_engine(
        url.set(drivername=f"{_SCHEME}+psycopg"), pool_pre_ping=True, connect_args=dict(_CONNECTING)
    )
    event.listen(engine, "begin", _begin)
    event.listen(engine, "do_connect", _Patience().connect)
    return engine


def _begin(connection: Connection) -> None:
    """Let transactions that write go one after the other, as SQLite does.

    One that read before it wrote would else overwrite what another wrote meanwhile, and two that found
    no row would both insert it. Ours are short and few.
    """
    if writes(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


class _Patience:
    """Connects at once or not at all the first time; later ones wait for a database that restarts."""

    def __init__(self) -> None:
        self._connected = False

    def connect(
        self, _: Dialect, __: ConnectionPoolEntry, words: list[Any], options: dict[str, Any]
    ) -> DBAPIConnection:
        """SQLAlchemy's `do_connect`."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                made = psycopg.connect(*words, **options)
            except psycopg.OperationalError:
                if not self._connected or time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
                continue
            self._connected = True
            return cast("DBAPIConnection", made)  # psycopg types its cursors more narrowly
