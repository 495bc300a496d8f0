"""A store written by any older Refit opens, on both databases, and what was in it is still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.model.exposure import Ignored
from bot.model.retention import Expiring
from bot.model.run import Plan
from bot.store.postgresql import Postgresql
from bot.store.revision import NEWEST
from bot.store.sql import SqlStore, open_store
from bot.store.tables import TABLES
from bot.store.upgrade import _writing
from tests.contract.older import NOW, ROWS, Row, heads, read, revisions, write
from tests.postgresql import Cluster

# Migrations rewrite these to what is read today: they are read through the store, below.
_REWRITTEN = {("scans", "body"), ("evidence", "body")}


@pytest.fixture(params=revisions())
def written(request: pytest.FixtureRequest, store_url: str) -> Mapping[str, Row]:
    """A store as the Refit of that revision left it, with data in every table."""
    return write(store_url, request.param)


@pytest.fixture
def opened(written: Mapping[str, Row], store_url: str) -> Iterator[SqlStore]:
    del written
    store = open_store(store_url)
    yield store
    store.close()


def test_every_row_of_an_older_refit_is_still_there_with_its_values(
    written: Mapping[str, Row], store_url: str
) -> None:
    open_store(store_url).close()

    now = read(store_url)

    for table, row in written.items():
        kept = {name: value for name, value in row.items() if (table, name) not in _REWRITTEN}
        assert {name: as_utc(now[table][name]) for name in kept} == {
            name: as_utc(value) for name, value in kept.items()
        }, table


def test_what_an_older_refit_stored_is_read_as_before(written: Mapping[str, Row], opened: SqlStore) -> None:
    (point,) = opened.measurements(NOW, NOW + timedelta(seconds=1))
    baseline = opened.baseline("acme/shop", "backend", "linux/amd64")
    (cycle,) = opened.cycles()
    (publication,) = opened.publications("acme/shop")

    assert (point.size, point.layers, point.low, point.applied, point.side) == (10**10, 3, 4, True, "after")
    assert baseline is not None
    assert baseline.size == 10**10
    assert opened.plan(cycle) == Plan((), ())
    assert publication.branch == "refit/s"
    assert opened.cached("blob", "sha256:a") == (b"\x00\xff", NOW)
    assert opened.first_seen("debian:12", "sha256:a") == NOW
    assert [one.reason for one in opened.snoozes(NOW)] == (["freeze"] if "snoozes" in written else [])
    assert [one.target for one in opened.published()] == (["backend"] if "published" in written else [])
    assert [one.digest for one in opened.sboms()] == (["sha256:5"] if "sboms" in written else [])
    if "receipts" in written:
        receipt = opened.receipt("job")
        assert receipt is not None
        assert receipt.evidence == ("k",)


def test_what_an_older_refit_scanned_and_proved_is_read_as_before(
    written: Mapping[str, Row], opened: SqlStore
) -> None:
    scan, evidence = opened.scan("sbom sha256:5"), opened.evidence("k")
    told = opened.told("sha256:5", "", "")
    expired = opened.expire(Expiring.SCANS, datetime(2026, 11, 21, tzinfo=UTC))

    assert scan is not None
    assert (scan.ignored, scan.secrets) == ((Ignored("CVE-2007-5686", "passwd"),), None)
    assert evidence is not None
    assert evidence.after.scan == scan
    assert told == scan, "what it found in an SBOM, it told"
    assert expired == (0 if "sboms" in written else 1), "a scan is as old as the database it used"


def test_there_is_one_newest_version_named_after_its_file_and_no_table_without_data_here() -> None:
    assert heads() == [NEWEST]
    assert set(ROWS) == {table.name for table in TABLES}


def as_utc(value: object) -> object:
    """SQLite keeps no zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def test_a_slow_machine_has_minutes_between_two_steps_of_a_migration(postgresql: Cluster) -> None:
    url = postgresql.database()
    with _writing(url, Postgresql(url)) as connection:
        shown = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()

    assert shown == "5min"
