"""What outlives a process: tables in SQLite or PostgreSQL, Alembic migrations, and the lease."""

from bot.store.sql import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
