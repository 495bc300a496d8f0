"""The queue's own tables: Procrastinate's, brought up to what its installed version works with.

The library ships one SQL file for each change, and leaves it to its users to apply them, each once and in
order (https://procrastinate.readthedocs.io/en/stable/howto/production/migrations.html). Which were applied is
kept in a table beside its own. Each file is a transaction: PostgreSQL does not let a new value of a type be
used in the one that adds it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, LiteralString

import procrastinate
import psycopg
from procrastinate.schema import SchemaManager

from bot.errors import StoreError

log: Final = logging.getLogger(__name__)
# Which of several processes makes the tables: any number that nobody else takes.
_TABLES: Final = 0x7265666976
# What the tables are that were made before applied files were recorded: those of Procrastinate 3.10.
_UNRECORDED: Final = "03.04.00_50_post_add_retry_failed_job_procedure"

_MADE: Final[LiteralString] = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"
_RECORD: Final[LiteralString] = (
    "CREATE TABLE IF NOT EXISTS refit_queue_changes "
    "(name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
)
_APPLIED: Final[LiteralString] = "SELECT name FROM refit_queue_changes ORDER BY name"
_ADD: Final[LiteralString] = "INSERT INTO refit_queue_changes (name) VALUES (%s)"


def bring_up_to_date(connecting: Mapping[str, Any]) -> None:
    """Make the queue's tables, or change them to what this version works with; whoever comes meanwhile waits.

    Args:
        connecting: What psycopg connects with.

    Raises:
        StoreError: The database does not answer, or its queue was made by a newer version.
    """
    try:
        with psycopg.connect(**connecting, autocommit=True) as connection, _alone(connection):
            _change(connection, changes())
    except psycopg.Error as error:
        raise StoreError(
            f"the queue's tables cannot be made or changed: {str(error).partition(chr(10))[0]}",
            hint="Is the database of `store:` up, and may this user make tables in it?",
        ) from error


def changes() -> Mapping[str, Path]:
    """The library's files by name, in the order they are applied."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return {file.stem: file for file in files}


@contextmanager
def _alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold a lock that ends with the connection at the latest."""
    connection.execute("SELECT pg_advisory_lock(%s)", (_TABLES,))
    yield
    connection.execute("SELECT pg_advisory_unlock(%s)", (_TABLES,))


def _change(connection: psycopg.Connection[Any], known: Mapping[str, Path]) -> None:
    applied = _applied(connection, known)
    if unknown := [name for name in applied if name not in known]:
        raise StoreError(
            f"the queue's tables have the change {unknown[-1]!r}, which is newer than "
            f"Procrastinate {procrastinate.__version__} on this machine",
            hint="A newer Refit uses this database: install that version here.",
        )
    for name in [name for name in known if name not in applied]:
        log.info("the queue's tables: %s", name)
        _apply(connection, known[name].read_text(encoding="utf-8"), [name])


def _applied(connection: psycopg.Connection[Any], known: Mapping[str, Path]) -> set[str]:
    """The changes that the tables have; where there are none, they are made as they are now."""
    if not _made(connection):
        _apply(connection, SchemaManager.get_schema(), list(known))
    found = {str(name) for (name,) in _recorded(connection)}
    if not found:
        found = {name for name in known if name <= _UNRECORDED}
        _apply(connection, "", sorted(found))
    return found


def _made(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(_MADE).fetchone()
    return bool(row and row[0])


def _recorded(connection: psycopg.Connection[Any]) -> Sequence[tuple[Any, ...]]:
    connection.execute(_RECORD)
    return connection.execute(_APPLIED).fetchall()


def _apply(connection: psycopg.Connection[Any], statements: str, names: Sequence[str]) -> None:
    """Run statements of the library, and record what they stand for, together."""
    with connection.transaction():
        connection.execute(_RECORD)
        if statements.strip():
            connection.execute(statements.encode())
        for name in names:
            connection.execute(_ADD, (name,))
