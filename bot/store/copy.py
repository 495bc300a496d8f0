"""Copying a whole store into another database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.errors import StoreError
from bot.store.sql import SqlStore, open_store
from bot.store.tables import DRIVING, LEASES, TABLES, Table
from bot.store.transaction import Transaction

# Who held a lease or drove a cycle there does not here.
_LEFT_OUT: Final = (DRIVING, LEASES)


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
    tables = [table for table in TABLES if table not in _LEFT_OUT]
    with old.reading() as reading, new.writing() as writing:
        full = [table.name for table in tables if not _empty(writing, table)]
        if full:
            raise StoreError(
                f"the database is not empty: there are rows in {', '.join(full)}",
                hint="Copy into a new database, or go on with the one that is there.",
            )
        return {table.name: _copy(reading, writing, table) for table in tables}


def _copy(reading: Transaction, writing: Transaction, table: Table) -> int:
    number = 0
    for rows in reading.batches(table):
        writing.add_all(table, rows)
        number += len(rows)
    return number


def _empty(transaction: Transaction, table: Table) -> bool:
    return not transaction.rows(table, "LIMIT 1")
