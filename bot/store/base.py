"""What every part of the store shares: one database, one way to read, one way to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

from bot.store.database import Database
from bot.store.tables import Table
from bot.store.transaction import Row, Transaction

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Guard = Callable[[], None]


def _nothing() -> None:
    """Guard nothing."""


class Rows:
    """Access to the database; each call is one short transaction.

    Args:
        database: The database.
        guard: Asked before each call; raises where this process may not go on.
    """

    def __init__(self, database: Database, guard: Guard | None = None) -> None:
        self._database, self._guard = database, guard or _nothing

    @contextmanager
    def _reading(self) -> Iterator[Transaction]:
        """A transaction that reads."""
        self._guard()
        with self._database.transaction() as transaction:
            yield transaction

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        """A transaction that writes what it read before: others wait until it ends."""
        self._guard()
        with self._database.transaction(writes=True) as transaction:
            yield transaction

    def _get(self, table: Table, *key: str) -> Row | None:
        """A row by its key."""
        with self._reading() as reading:
            return reading.get(table, *key)

    def _rows(self, table: Table, condition: str, *values: object) -> list[Row]:
        """Rows by a condition."""
        with self._reading() as reading:
            return reading.rows(table, condition, *values)

    def _save(self, table: Table, row: Row) -> None:
        """Insert or replace by primary key."""
        with self._writing() as writing:
            writing.save(table, row)


def columns(value: DataclassInstance) -> Row:
    """A value as a row: a column for each of its fields."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
