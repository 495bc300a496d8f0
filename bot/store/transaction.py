"""One transaction of a store: plain SQL with `?` for values, written once for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Protocol

from bot.store.tables import Table

_BATCH: Final = 500

Row = Mapping[str, Any]


class Driver(Protocol):
    """What differs from database to database."""

    @property
    def failures(self) -> type[Exception]:
        """What the driver raises when the database refuses something."""
        ...

    def connect(self) -> Any:
        """A new connection, in which a transaction lasts from BEGIN to COMMIT."""
        ...

    def alive(self, connection: Any) -> bool:
        """False where a connection that was not used for a while is of no use any more."""
        ...

    def begin(self, connection: Any, *, writes: bool) -> None:
        """Begin a transaction; of those that write, one is at work at a time."""
        ...

    def execute(self, connection: Any, sql: str, values: Sequence[object]) -> Any:
        """Execute a statement with a `?` for each value; gives the cursor."""
        ...

    def revision(self, connection: Any) -> str | None:
        """The revision that the tables are of; None where there are none."""
        ...


class Transaction:
    """A transaction that has begun. Statements are constants; what comes from outside is a value.

    Args:
        connection: Its connection.
        driver: How to speak to it.
    """

    def __init__(self, connection: Any, driver: Driver) -> None:
        self._connection, self._driver = connection, driver

    def get(self, table: Table, *key: str) -> Row | None:
        """A row by its key, without large columns."""
        found = self.rows(table, f"WHERE {_equal(table.key)}", *key)
        return found[0] if found else None

    def rows(self, table: Table, condition: str = "", *values: object) -> list[Row]:
        """Rows, without large columns.

        Args:
            table: Where.
            condition: What follows the table's name: WHERE, ORDER BY, LIMIT.
            values: One for each `?`.
        """
        cursor = self.run(f"SELECT {_listed(table.columns)} FROM {table.name} {condition}", *values)  # noqa: S608 - constants
        return [_row(table.columns, values) for values in cursor]

    def value(self, table: Table, column: str, *key: str) -> Any:
        """One column of a row by its key; None where there is no such row."""
        cursor = self.run(f"SELECT {_quoted(column)} FROM {table.name} WHERE {_equal(table.key)}", *key)  # noqa: S608 - constants
        found = cursor.fetchone()
        return None if found is None else _given(found[0])

    def add(self, table: Table, row: Row) -> None:
        """Add a row."""
        self.run(_insert(table, tuple(row)), *row.values())

    def save(self, table: Table, row: Row) -> None:
        """Add a row, or replace what another one with its key holds."""
        rest = [name for name in row if name not in table.key]
        changes = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in rest)
        conflict = f"ON CONFLICT ({_listed(table.key)}) DO UPDATE SET {changes}"
        self.run(f"{_insert(table, tuple(row))} {conflict}", *row.values())

    def change(self, table: Table, key: str, **columns: object) -> None:
        """Set columns of the row with a key of one column."""
        changes = ", ".join(f"{_quoted(name)} = ?" for name in columns)
        self.run(f"UPDATE {table.name} SET {changes} WHERE {_equal(table.key)}", *columns.values(), key)  # noqa: S608 - constants

    def run(self, sql: str, *values: object) -> Any:
        """Execute a statement; gives the driver's cursor, which knows how many rows it changed."""
        return self._driver.execute(self._connection, sql, [_taken(value) for value in values])

    def batches(self, table: Table) -> Iterator[list[Sequence[object]]]:
        """All rows with all their columns, some at a time, by their key."""
        columns = _listed(table.columns + table.large)
        cursor = self.run(f"SELECT {columns} FROM {table.name} ORDER BY {_listed(table.key)}")  # noqa: S608 - constants
        while rows := cursor.fetchmany(_BATCH):
            yield [[_given(value) for value in row] for row in rows]

    def add_all(self, table: Table, rows: Iterable[Sequence[object]]) -> None:
        """Add rows as `batches` gives them."""
        statement = _insert(table, table.columns + table.large)
        for row in rows:
            self.run(statement, *row)


def _row(columns: Sequence[str], values: Sequence[object]) -> Row:
    return dict(zip(columns, map(_given, values), strict=True))


def _given(value: Any) -> Any:
    """PostgreSQL gives moments in the zone of its session."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _taken(value: object) -> object:
    """Refuse naive times on the way in: they would be read back as something else."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {value}")
    return value.value if isinstance(value, Enum) else value


def _insert(table: Table, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({_listed(columns)}) VALUES ({marks})"  # noqa: S608 - constants


def _equal(columns: Sequence[str]) -> str:
    return " AND ".join(f"{_quoted(name)} = ?" for name in columns)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _quoted(column: str) -> str:
    """Some have the names of SQL's own words: `commit`, `key`."""
    return f'"{column}"'
