"""Bringing the tables of a store up to date, by Alembic on SQLAlchemy: the only place that loads them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bot.errors import StoreError
from bot.store.revision import MIGRATIONS, NEWEST
from bot.store.transaction import Driver

# Alembic keeps what it works on in globals of its modules.
_one_at_a_time: Final = threading.Lock()
_DIALECTS: Final = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
# Between two statements a migration loads code, which a slow machine takes its time for.
_PATIENCE: Final = "SET LOCAL idle_in_transaction_session_timeout = '5min'"


def upgrade(url: str, driver: Driver) -> None:
    """Bring the tables up to date, all or nothing; whoever opens the store meanwhile waits.

    Args:
        url: Of the store.
        driver: Connects to it.

    Raises:
        StoreError: They were written by a newer Refit.
        Exception: The driver's own, where the database refuses something.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _one_at_a_time, _writing(url, driver) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == NEWEST:
            return
        _refuse_newer(ScriptDirectory.from_config(config), current)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _writing(url: str, driver: Driver) -> Iterator[Connection]:
    """A transaction that writes, for a library that has its own idea of connections."""
    dialect = _DIALECTS[url.partition(":")[0]]
    engine = create_engine(dialect, creator=driver.connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver.begin(connection.connection.dbapi_connection, writes=True)

    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_PATIENCE)
            yield connection
    except DBAPIError as error:
        raise (error.orig or error) from error
    finally:
        engine.dispose()


def _refuse_newer(scripts: ScriptDirectory, current: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the store is of revision {current}, which this Refit does not know",
            hint="It was written by a newer Refit: install that version, or use another state folder.",
        )
