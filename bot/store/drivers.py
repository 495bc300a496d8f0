"""The driver of a store's URL; only the one that is used is loaded: psycopg costs 9 MB, `sqlite3` one."""

from __future__ import annotations

from bot.store.transaction import Driver


def driver_for(url: str) -> Driver:
    """What connects to `sqlite:///FILE`, or `postgresql://…`."""
    if url.startswith("sqlite:"):
        from bot.store.sqlite import Sqlite  # noqa: PLC0415 - only where the store is a file

        return Sqlite(url)
    from bot.store.postgresql import Postgresql  # noqa: PLC0415 - only where many share a store

    return Postgresql(url)
