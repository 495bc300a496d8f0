"""A database as the store uses it: short transactions, on connections that are kept.

SQLite and PostgreSQL are spoken to through their drivers, `sqlite3` and psycopg. SQLAlchemy and Alembic
change tables (`upgrade.py`) and are not loaded where there is nothing to change: they cost 25 MB, and a
third of a second of each start.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bot.errors import StoreError
from bot.store.transaction import Driver, Transaction

# As many connections at once, and so long for one of them to become free; so many are kept for later.
_MOST: Final = 15
_KEPT: Final = 5
_PATIENCE_SECONDS: Final = 30.0


class Database:
    """Connections to one database, for any number of threads.

    Args:
        driver: How it is connected to.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._idle: list[Any] = []
        self._lock, self._free = threading.Lock(), threading.BoundedSemaphore(_MOST)
        self._closed = False

    @contextmanager
    def transaction(self, *, writes: bool = False) -> Iterator[Transaction]:
        """A transaction, all or nothing.

        Raises:
            StoreError: The database refuses it: busy for too long, a full disk, a damaged file.
        """
        try:
            with self._connection() as connection:
                self._driver.begin(connection, writes=writes)
                yield Transaction(connection, self._driver)
                connection.commit()
        except self._driver.failures as error:
            raise StoreError(
                f"the store cannot be used: {first_line(error)}",
                hint="Check the disk (or the database) and what else uses the store, and run again.",
            ) from error

    def revision(self) -> str | None:
        """The revision that the tables are of; None where there are none.

        Raises:
            Exception: The driver's own, where the database cannot be opened.
        """
        with self._connection() as connection:
            return self._driver.revision(connection)

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """A connection; one on which anything went wrong is closed, which undoes what it began."""
        if not self._free.acquire(timeout=_PATIENCE_SECONDS):
            raise StoreError("the store is busy", hint="Run again; let fewer jobs run here at once.")
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)
        finally:
            self._free.release()

    def _take(self) -> Any:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._driver.connect()
            if self._driver.alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()


def first_line(error: Exception) -> str:
    """What a driver says, without the rest that some add."""
    return str(error).partition("\n")[0]
