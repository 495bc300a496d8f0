"""Opening the store: SQLite in the state folder, or PostgreSQL by its URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from bot.errors import StoreError
from bot.store.base import Guard
from bot.store.cycles import CycleRows
from bot.store.database import Database, first_line
from bot.store.drivers import driver_for
from bot.store.folder import private, unusable
from bot.store.proofs import ProofRows
from bot.store.publications import PublicationRows
from bot.store.published import PublishedRows
from bot.store.receipts import ReceiptRows
from bot.store.retention import RetentionRows
from bot.store.revision import NEWEST
from bot.store.sboms import SbomRows
from bot.store.sightings import SightingRows
from bot.store.talks import TalkRows
from bot.store.transaction import Transaction

_PASSWORD: Final = re.compile(r"(?<=:)[^:@/]+(?=@)")


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
    """The `Store` port on SQL; `close` gives the connections back."""

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction over all tables that only reads."""
        with self._database.transaction() as transaction:
            yield transaction

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction over all tables that writes: all or nothing."""
        with self._database.transaction(writes=True) as transaction:
            yield transaction

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()


def open_store(url: str, guard: Guard | None = None) -> SqlStore:
    """Open the store at a URL, bringing its tables up to date.

    Args:
        url: `sqlite:///FILE`, or `postgresql://…`.
        guard: Asked before each call of the store; raises where this process may not go on.

    Raises:
        StoreError: It cannot be opened or was written by a newer Refit.
    """
    driver = driver_for(url)
    database = Database(driver)
    try:
        if database.revision() != NEWEST:
            # Alembic and SQLAlchemy cost 32 MB, which a process whose tables are up to date need not pay.
            from bot.store.upgrade import upgrade  # noqa: PLC0415 - only where there is something to do

            upgrade(url, driver)
    except driver.failures as error:
        database.close()
        raise StoreError(
            f"cannot open the store {_PASSWORD.sub('***', url)}: {first_line(error)}",
            hint="Check that the folder or database exists and may be written.",
        ) from error
    except StoreError:
        database.close()
        raise
    return SqlStore(database, guard)


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


def with_password(url: str, password: str) -> str:
    """The URL of a database with the password in it."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
