"""The real Trivy and its database: from a mirror, from the next one, or the one that is there (R20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import ScanError
from bot.scanner import DatabaseSettings, TrivyScanner
from bot.scanner.binary import file_digest
from tests.integration.scanner import mirrors
from tests.integration.scanner.bench import Bench
from tests.integration.scanner.databases import database

pytestmark = pytest.mark.lab

OLD, NEW = {"apt": {"CVE-2026-10001": "99"}}, {"apt": {"CVE-2026-10002": "99"}}
NOBODY = "127.0.0.1:1/nobody/trivy-db:2"


@pytest.fixture
def mirror(bench: Bench, tmp_path: Path) -> str:
    """A mirror that holds the new database."""
    return mirrors.push(bench.lab.registry, f"{bench.prefix}/trivy-db", database(tmp_path / "new", NEW))


def scanner(bench: Bench, cache: Path, *repositories: str, days: float = 0) -> TrivyScanner:
    """A scanner with these mirrors, after some days."""
    settings = replace(bench.settings, database=DatabaseSettings(cache, repositories))
    return TrivyScanner(settings, now=lambda: datetime.now(UTC) + timedelta(days=days))


def digest(cache: Path) -> str:
    return f"sha256:{file_digest(cache / 'db' / 'trivy.db')}"


def test_the_first_database_comes_from_the_mirror_that_answers(
    bench: Bench, mirror: str, tmp_path: Path
) -> None:
    taken = scanner(bench, tmp_path / "cache", NOBODY, mirror).database()
    assert (taken.digest, taken.note) == (digest(tmp_path / "new"), "")


def test_a_database_that_is_due_is_replaced_and_one_that_is_not_is_left(
    bench: Bench, mirror: str, tmp_path: Path
) -> None:
    due, recent = database(tmp_path / "due", OLD, due=True), database(tmp_path / "recent", OLD)
    assert scanner(bench, due, mirror).database().digest == digest(tmp_path / "new")
    before = digest(recent)
    assert scanner(bench, recent, mirror).database().digest == before != digest(tmp_path / "new")


@pytest.mark.parametrize("status", [429, 503, 404])
def test_where_every_mirror_fails_the_database_that_is_there_serves_and_it_is_said(
    bench: Bench, tmp_path: Path, status: int
) -> None:
    cache = database(tmp_path / "cache", OLD, due=True)
    before = digest(cache)
    with mirrors.failing(status) as one:
        taken = scanner(bench, cache, one, NOBODY).database()
    assert taken.digest == before
    assert one in taken.note
    assert NOBODY in taken.note


def test_a_download_that_breaks_off_leaves_the_database_that_was_there(bench: Bench, tmp_path: Path) -> None:
    cache = database(tmp_path / "cache", OLD, due=True)
    before = digest(cache)
    with mirrors.breaking_off(database(tmp_path / "new", NEW)) as one:
        taken = scanner(bench, cache, one).database()
    assert taken.digest == before
    assert "could not be updated" in taken.note


def test_past_its_age_no_scan_runs_however_the_mirrors_fail(bench: Bench, tmp_path: Path) -> None:
    cache = database(tmp_path / "cache", OLD, due=True)
    with pytest.raises(ScanError, match=r"days old, more than the 7 allowed; .*could not be updated"):
        scanner(bench, cache, NOBODY, days=6).database()
