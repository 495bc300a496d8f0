"""The driver of a store's URL."""

from __future__ import annotations

from bot.store.sqlite import Sqlite
from bot.store.transaction import Driver


def driver_for(url: str) -> Driver:
    """What connects to `sqlite:///FILE`, or `postgresql://…`."""
    if url.startswith("sqlite:"):
        return Sqlite(url)
    # psycopg costs 9 MB, which a bot on one machine need not pay.
    from bot.store.postgresql import Postgresql  # noqa: PLC0415 - only where many share a store

    return Postgresql(url)
