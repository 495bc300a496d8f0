"""What outlives a process: SQLAlchemy tables, Alembic migrations, and the lease."""

from bot.store.sql import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
