"""Opening the store: SQLite in the state folder, or PostgreSQL by its URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import StoreError
from bot.store.base import Guard, begin_sqlite, explained
from bot.store.cycles import CycleRows
from bot.store.folder import private, unusable
from bot.store.proofs import ProofRows
from bot.store.publications import PublicationRows
from bot.store.published import PublishedRows
from bot.store.receipts import ReceiptRows
from bot.store.retention import RetentionRows
from bot.store.revision import NEWEST, revision
from bot.store.sboms import SbomRows
from bot.store.sightings import SightingRows
from bot.store.talks import TalkRows


class SqlStore(
    CycleRows,
    ProofRows,
    PublicationRows,
    PublishedRows,
    ReceiptRows,
    RetentionRows,
    SbomRows,
    SightingRows,
    TalkRows,
):
    """The `Store` port on SQLAlchemy; `close` gives the connections back."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction over all tables that only reads."""
        with explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction over all tables that writes: all or nothing."""
        with explained(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_store(url: str, guard: Guard | None = None) -> SqlStore:
    """Open the store at a SQLAlchemy URL, bringing its tables up to date.

    Args:
        url: `sqlite:///FILE`, or `postgresql://…`.
        guard: Asked before each call of the store; raises where this process may not go on.

    Raises:
        StoreError: It cannot be opened or was written by a newer Refit.
    """
    engine = _engine(make_url(url))
    try:
        _migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        shown = make_url(url).render_as_string(hide_password=True)
        raise StoreError(
            f"cannot open the store {shown}: {str(error).splitlines()[0]}",
            hint="Check that the folder or database exists and may be written.",
        ) from error
    except StoreError:
        engine.dispose()
        raise
    return SqlStore(engine, guard)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        # psycopg costs 9 MB, which a bot on one machine need not pay.
        from bot.store.postgresql import postgresql_engine  # noqa: PLC0415 - only where many share a store

        return postgresql_engine(url)
    engine = create_engine(url)
    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def sqlite_url(folder: Path) -> str:
    """The URL of the SQLite store in a state folder, which is made private to its owner.

    Raises:
        StoreError: The folder cannot be made or written.
    """
    file = private(folder) / "refit.sqlite3"
    try:
        file.touch(mode=0o600)
        file.chmod(0o600)
    except OSError as error:
        raise unusable(folder, error) from error
    return f"sqlite:///{file}"


def _tune_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """WAL lets readers go on while one writes; the wait covers eight writing threads."""
    connection.isolation_level = None  # transactions are begun by `begin_sqlite`, tables and all
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _migrate(engine: Engine) -> None:
    """Bring the tables up to date; whoever opens the store meanwhile waits."""
    with engine.connect() as connection:
        if revision(connection) == NEWEST:
            return
    # Alembic and what it brings cost 7 MB, which a process whose tables are up to date need not pay.
    from bot.store.upgrade import upgrade  # noqa: PLC0415 - only where there is something to do

    upgrade(engine)
