"""Copying a whole store into another database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Table, func, insert, select, text

from bot.errors import StoreError
from bot.store.sql import SqlStore, open_store
from bot.store.tables import Base

# Who held a lease or drove a cycle there does not here.
_LEFT_OUT: Final = frozenset({"driving", "leases"})
_BATCH: Final = 500


def copy(source: str, destination: str) -> Mapping[str, int]:
    """Copy every row of one store into another, empty one: all or nothing.

    Args:
        source: URL of the store as it is.
        destination: URL of a store with no rows.

    Returns:
        How many rows each table got.

    Raises:
        StoreError: One of them cannot be used, or the destination is not empty.
    """
    old, new = open_store(source), open_store(destination)
    try:
        return _copied(old, new)
    finally:
        old.close()
        new.close()


def _copied(old: SqlStore, new: SqlStore) -> Mapping[str, int]:
    tables = [table for table in Base.metadata.sorted_tables if table.name not in _LEFT_OUT]
    with old.reading() as reading, new.writing() as writing:
        full = [table.name for table in tables if _count(writing, table)]
        if full:
            raise StoreError(
                f"the database is not empty: there are rows in {', '.join(full)}",
                hint="Copy into a new database, or go on with the one that is there.",
            )
        copied = {table.name: _copy(reading, writing, table) for table in tables}
        for table in tables:
            _count_on(writing, table)
        return copied


def _copy(reading: Connection, writing: Connection, table: Table) -> int:
    number = 0
    for rows in reading.execution_options(yield_per=_BATCH).execute(select(table)).mappings().partitions():
        writing.execute(insert(table), [dict(row) for row in rows])
        number += len(rows)
    return number


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _count_on(connection: Connection, table: Table) -> None:
    """Let numbers that the database gives go on after those that were copied."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    last = connection.scalar(select(func.max(column)))
    if last is not None:
        name = {"table": table.name, "column": column.name, "last": last}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), name)
