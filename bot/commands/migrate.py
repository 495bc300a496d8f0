"""`refit migrate`: from the state folder's own store to the database that the configuration names."""

from __future__ import annotations

from bot.app import store_url
from bot.commands.options import ConfigOption, load_config
from bot.commands.output import write
from bot.convert import state_folder
from bot.errors import UsageError
from bot.store.copy import copy
from bot.store.lease import lease
from bot.store.sql import sqlite_url


def migrate(config: ConfigOption = None) -> int:
    """Copy the state folder's store into the PostgreSQL database that `store:` names.

    All or nothing, into an empty database; the state folder stays as it is. Stop `refit serve` before.
    """
    settings = load_config(config)
    if settings.store is None:
        raise UsageError(
            "the configuration names no database to copy to",
            hint="Set `store: postgresql://…`, and run this once before the first `refit serve` with it.",
        )
    folder = state_folder(settings)
    with lease(folder):
        copied = copy(sqlite_url(folder), store_url(settings))
    for table, rows in copied.items():
        write(f"{rows:8d}  {table}")
    write(f"{sum(copied.values()):8d}  rows copied from {folder} to {settings.store}")
    return 0
