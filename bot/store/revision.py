"""Which revision the tables are of: asked at every start, without the library that changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# A migration's file is named after its revision: `m0007_artifacts.py` brings the tables to 0007.
NEWEST: Final = max(file.stem[1:5] for file in (MIGRATIONS / "versions").glob("m*.py"))


def revision(connection: Connection) -> str | None:
    """The revision that a database's tables are of; None where there are none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)
