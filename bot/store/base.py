"""What every part of the store shares: one engine, one way to write."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.store.tables import Base


class Rows:
    """Access to the database; each call is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _session(self) -> Session:
        return Session(self._engine, expire_on_commit=False)

    def _save(self, row: Base) -> None:
        """Insert or replace by primary key."""
        with self._session() as session, session.begin():
            session.merge(row)
