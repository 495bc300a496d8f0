"""What every part of the store shares: one engine, one way to read, one way to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.errors import StoreError
from bot.store.tables import Base

_WRITING: Final = "refit_writing"
_LINE: Final = "\n"


Guard = Callable[[], None]


def _nothing() -> None:
    """Guard nothing."""


class Rows:
    """Access to the database; each call is one short transaction.

    Args:
        engine: The database.
        guard: Asked before each call; raises where this process may not go on.
    """

    def __init__(self, engine: Engine, guard: Guard | None = None) -> None:
        self._engine, self._guard = engine, guard or _nothing
        self._writer = for_writing(engine)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """A transaction that reads."""
        self._guard()
        with explained(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A transaction that writes what it read before: others wait until it ends."""
        self._guard()
        with explained(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def _save(self, row: Base) -> None:
        """Insert or replace by primary key."""
        with self._writing() as session:
            session.merge(row)


def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction of SQLite; one that writes takes its lock first.

    A transaction that read before it wrote would fail at once, without waiting, where another one
    wrote meanwhile (SQLITE_BUSY_SNAPSHOT), and two that found no row would both insert it.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes(connection) else "BEGIN")


def writes(connection: Connection) -> bool:
    """True in a transaction that writes what it read before."""
    return bool(connection.get_execution_options().get(_WRITING, False))


def for_writing(engine: Engine) -> Engine:
    """The same engine, whose transactions write."""
    return engine.execution_options(**{_WRITING: True})


@contextmanager
def explained() -> Iterator[None]:
    """What the database refuses (busy for too long, a full disk, a damaged file) is an expected failure."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(
            f"the store cannot be used: {str(error.orig).partition(_LINE)[0]}",
            hint="Check the disk (or the database) and what else uses the store, and run again.",
        ) from error
