"""A store written by any older Refit opens, and what was in it is still there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot.model.exposure import Ignored
from bot.model.retention import Expiring
from bot.store.revision import MIGRATIONS, NEWEST
from bot.store.sql import open_store, sqlite_url

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
# Tables and columns of the first version: every later one has them still.
ROWS: Mapping[str, Mapping[str, str | int]] = {
    "measurements": {
        "project": "acme/shop", "target": "backend", "platform": "linux/amd64", "cycle": "monthly-2026-11",
        "base": "debian:12@sha256:a", "at": "2026-11-24 04:00:00.000000", "size": 10**10, "layers": 3,
        "critical": 1, "high": 2, "medium": 3, "low": 4, "applied": 1,
    },
    "baselines": {
        "project": "acme/shop", "target": "backend", "platform": "linux/amd64", "size": 10**10,
        "digest": "debian:12@sha256:a", "at": "2026-11-24 04:00:00.000000",
    },
    "sightings": {
        "reference": "debian:12", "digest": "sha256:a", "first_seen": "2026-11-24 04:00:00.000000",
    },
}  # fmt: skip
SCAN = {
    "subject": "debian@sha256:a", "distribution": "debian 12", "supported": True, "packages": [],
    "vulnerabilities": [], "scanner": "trivy 0.74.0",
    "database": {"digest": "sha256:d", "updated_at": "2026-11-20T06:00:00Z", "version": 2},
    "ignored": ["CVE-2007-5686 passwd"],
}  # fmt: skip
EVIDENCE = {
    "key": "k", "level": "base", "level_reason": "", "platform": {"os": "linux", "architecture": "amd64"},
    "before": None, "after": {"base": "debian@sha256:a", "scan": SCAN}, "comparison": None,
    "started": "2026-11-24T04:00:00Z", "seconds": 1.0,
}  # fmt: skip
# What the first version stored as JSON; from 0007 on it has another shape.
DOCUMENTS: Mapping[str, Mapping[str, str | int]] = {
    "scans": {"key": "k", "body": json.dumps(SCAN)},
    "evidence": {"key": "k", "body": json.dumps(EVIDENCE), "created": "2026-11-24 04:00:00.000000"},
}


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


SCRIPTS = ScriptDirectory.from_config(config())
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()]


def written_at(revision: str, state: Path) -> str:
    """A store as the Refit of that revision left it, with data; gives its URL."""
    url = sqlite_url(state)
    settings = config()
    with create_engine(url).begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
    with sqlite3.connect(state / "refit.sqlite3") as database:
        documents = DOCUMENTS if revision < "0007" else {}
        for table, row in {**ROWS, **documents}.items():
            marks = ", ".join("?" for _ in row)
            names = ", ".join(row)
            database.execute(f"insert into {table} ({names}) values ({marks})", tuple(row.values()))  # noqa: S608 - the test's own names
    return url


def test_the_newest_revision_is_what_the_last_file_is_named_after() -> None:
    assert SCRIPTS.get_current_head() == NEWEST


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_an_older_refit_stored_is_still_there(revision: str, tmp_path: Path) -> None:
    store = open_store(written_at(revision, tmp_path / "state"))

    (point,) = store.measurements(NOW, NOW + timedelta(seconds=1))
    baseline = store.baseline("acme/shop", "backend", "linux/amd64")
    store.close()

    assert (point.size, point.layers, point.low, point.applied) == (10**10, 3, 4, True)
    assert baseline is not None
    assert baseline.size == 10**10


@pytest.mark.parametrize("revision", [revision for revision in REVISIONS if revision < "0007"])
def test_what_an_older_refit_scanned_and_proved_is_read_as_before(revision: str, tmp_path: Path) -> None:
    store = open_store(written_at(revision, tmp_path / "state"))

    scan, evidence = store.scan("k"), store.evidence("k")
    expired = store.expire(Expiring.SCANS, datetime(2026, 11, 21, tzinfo=UTC))
    store.close()

    assert scan is not None
    assert (scan.ignored, scan.secrets) == ((Ignored("CVE-2007-5686", "passwd"),), None)
    assert evidence is not None
    assert evidence.after is not None
    assert evidence.after.scan == scan
    assert expired == 1, "a scan is as old as the database it used"


def test_there_is_one_newest_version() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1
