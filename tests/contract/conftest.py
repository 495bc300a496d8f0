"""One store suite, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.sql import SqlStore, open_store, sqlite_url
from tests.postgresql import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store: a file of the state folder, or a database of a real server."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "state")
    server: Cluster = request.getfixturevalue("postgresql")
    return server.database()


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    opened = open_store(store_url)
    yield opened
    opened.close()
