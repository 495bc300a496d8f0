"""Opening a store for months: its tables are changed in a process of its own, which ends with that.

Alembic and SQLAlchemy cost 32 MB, which a bot would hold until its next start for a second's work.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from bot import process
from bot.errors import ProcessFailed
from bot.store.database import Database
from bot.store.drivers import driver_for
from bot.store.revision import NEWEST
from bot.store.sql import SqlStore, open_store

_CHILD: Final = (sys.executable, "-P", "-m", "bot.store.child")
_SECONDS: Final = 3600.0  # a migration may rewrite years of evidence


def open_store_apart(url: str) -> SqlStore:
    """Open the store at a URL, as `open_store` does.

    Raises:
        StoreError: It cannot be opened or was written by a newer Refit.
    """
    if not _up_to_date(url):
        # What libpq reads, and the home folder's files, belong to the URL.
        libpq = {name: text for name, text in os.environ.items() if name.startswith("PG") or name == "HOME"}
        env = process.environment(PYTHONPATH=str(Path(__file__).parents[2]), **libpq)
        with suppress(ProcessFailed):  # the same goes wrong below, which knows how to say it
            process.run(_CHILD, timeout=_SECONDS, env=env, stdin=url.encode(), tied=True)
    return open_store(url)


def _up_to_date(url: str) -> bool:
    """True where there is nothing to change, or nothing can be changed."""
    driver = driver_for(url)
    database = Database(driver)
    try:
        return database.revision() == NEWEST
    except driver.failures:
        return True
    finally:
        database.close()
