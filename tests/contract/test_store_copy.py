"""From SQLite to PostgreSQL by one command: every row, once, all or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli import call
from bot.errors import StoreError
from bot.model.measurement import Baseline
from bot.model.run import Plan
from bot.store.copy import copy
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.store.tables import TABLES
from tests.postgresql import Cluster

NOW = datetime(2026, 11, 24, 12, 30, 15, 250_000, tzinfo=UTC)
BASELINE = Baseline("acme/shop", "backend", "linux/amd64", 10**10, "x", NOW)
PLAN = Plan((), (), (), {"HEAD": 3})


def filled(folder: Path) -> str:
    """A store of the state folder that has lived."""
    url = sqlite_url(folder)
    store = open_store(url)
    cycle = store.begin("monthly-2026-11", NOW)
    store.save_plan(cycle, PLAN)
    store.finish(cycle, '{"updates": []}', NOW)
    store.save_baseline(BASELINE)
    for number in range(1200):
        store.audit("slack:U1", "command", f"rescan {number}", NOW)
    store.cache("blob", "sha256:a", b"\x00\xff", NOW)
    store.observe("debian:12", "sha256:a", NOW)
    store.close()
    return url


def rows(url: str) -> dict[str, int]:
    store = open_store(url)
    with store.reading() as reading:
        counted = {table.name: len(reading.rows(table)) for table in TABLES}
    store.close()
    return counted


def test_every_row_arrives_as_it_was(tmp_path: Path, postgresql: Cluster) -> None:
    old, new = filled(tmp_path), postgresql.database()

    copied = copy(old, new)

    assert rows(new) == rows(old)
    assert copied["audit"] == 1200
    store = open_store(new)
    (cycle,) = store.cycles()
    assert (store.plan(cycle), store.result(cycle.id)) == (PLAN, '{"updates": []}')
    assert cycle.finished == NOW
    assert store.baseline("acme/shop", "backend", "linux/amd64") == BASELINE
    assert store.cached("blob", "sha256:a") == (b"\x00\xff", NOW)
    store.audit("refit", "publish", "goes on counting", NOW)
    store.close()


def test_a_database_that_is_in_use_is_left_alone(tmp_path: Path, postgresql: Cluster) -> None:
    old, new = filled(tmp_path), postgresql.database()
    lived: SqlStore = open_store(new)
    lived.save_baseline(BASELINE)
    lived.close()
    before = rows(new)

    with pytest.raises(StoreError, match="not empty: there are rows in baselines"):
        copy(old, new)

    assert rows(new) == before


def test_the_command_copies_and_says_what(
    tmp_path: Path, postgresql: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "state")
    new = postgresql.database()
    monkeypatch.setenv("REFIT_TEST_PASSWORD", postgresql.password)
    config = tmp_path / "refit.yaml"
    shown = new.replace(f":{postgresql.password}@", "@")
    config.write_text(
        f"state: ./state\nstore: {shown}\nstore_password: {{env: REFIT_TEST_PASSWORD}}\n", encoding="utf-8"
    )

    code = call(["migrate", "--config", str(config)])

    out = capsys.readouterr().out
    assert code == 0
    assert "    1200  audit" in out
    assert out.splitlines()[-1].endswith(f"to {shown}")
    assert postgresql.password not in out
