"""Many threads and processes share one store: nothing fails, nothing is made twice."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store.sql import SqlStore, open_store, sqlite_url

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
THREADS = 8


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


def at_once(work: Callable[[], object]) -> list[object]:
    """What the same work gives, or raises, in eight threads that begin together."""
    together, results = threading.Barrier(THREADS), list[object]()

    def one() -> None:
        together.wait(30)
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_new_store_may_be_opened_by_many_threads_at_once(store_url: str) -> None:
    opened = at_once(lambda: open_store(store_url))
    stores = [one for one in opened if isinstance(one, SqlStore)]
    for one in stores:
        one.close()

    assert [one for one in opened if one not in stores] == []


def test_a_new_store_may_be_opened_by_many_processes_at_once(store_url: str) -> None:
    code = f"from bot.store.sql import open_store; open_store({store_url!r}).close()"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE) for _ in range(3)
    ]

    ended = [(process.communicate(timeout=60)[1].decode(), process.returncode) for process in processes]

    assert [said for said, code in ended if code] == []


def test_tables_whose_making_was_cut_off_are_made_again(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with closing(sqlite3.connect(tmp_path / "refit.sqlite3", isolation_level=None)) as killed:
        killed.execute("begin immediate")
        killed.execute("create table audit (id integer)")  # and then it ends, with no commit

    with closing(open_store(url)) as store:
        store.audit("slack:U1", "command", "help", NOW)

    with closing(sqlite3.connect(tmp_path / "refit.sqlite3")) as kept:
        assert kept.execute("select who, what, detail from audit").fetchall() == [
            ("slack:U1", "command", "help")
        ]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda store: store.begin("monthly-2026-11", NOW), id="a cycle is begun"),
        pytest.param(lambda store: store.observe("debian:12", "sha256:a", NOW), id="a digest is seen"),
        pytest.param(lambda store: store.cache("tags", "debian", b"[]", NOW), id="an answer is cached"),
    ],
)
def test_the_same_row_written_by_many_is_one_row(
    store: SqlStore, write: Callable[[SqlStore], object]
) -> None:
    results = at_once(lambda: [write(store) for _ in range(10)])

    assert all(result == results[0] for result in results), results


def test_nothing_that_many_append_is_lost(in_a_file: SqlStore, tmp_path: Path) -> None:
    def append() -> None:
        for _ in range(10):
            in_a_file.audit("slack:U1", "command", "help", NOW)

    at_once(append)

    with closing(sqlite3.connect(tmp_path / "refit.sqlite3")) as database:
        assert database.execute("select count(*) from audit").fetchone() == (THREADS * 10,)


def test_reading_goes_on_while_somebody_writes(in_a_file: SqlStore, tmp_path: Path) -> None:
    in_a_file.begin("monthly-2026-11", NOW)
    with closing(sqlite3.connect(tmp_path / "refit.sqlite3", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("delete from cycles")

        assert [cycle.id for cycle in in_a_file.cycles()] == ["monthly-2026-11"]


def test_a_store_that_breaks_meanwhile_is_an_expected_failure(in_a_file: SqlStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "refit.sqlite3")) as database:
        database.execute("drop table cycles")

    with pytest.raises(StoreError, match="the store cannot be used: no such table: cycles"):
        in_a_file.cycles()


def test_what_may_happen_so_often_does_so_in_all_processes_together(store_url: str) -> None:
    handles = [open_store(store_url) for _ in range(2)]
    takes = itertools.cycle(handles)
    turn = threading.Lock()

    def ask() -> object:
        with turn:
            one = next(takes)
        return one.admit("asked", "slack:U1", NOW, 5, timedelta(minutes=1))

    waits = at_once(ask)
    later = handles[0].admit("asked", "slack:U1", NOW + timedelta(seconds=50), 5, timedelta(minutes=1))
    other = handles[1].admit("asked", "slack:U2", NOW, 5, timedelta(minutes=1))
    after = handles[1].admit("asked", "slack:U1", NOW + timedelta(seconds=60), 5, timedelta(minutes=1))
    for one in handles:
        one.close()

    assert Counter(waits) == {timedelta(0): 5, timedelta(minutes=1): THREADS - 5}
    assert (later, other, after) == (timedelta(seconds=10), timedelta(0), timedelta(0))


def test_a_clock_that_was_ahead_keeps_nobody_waiting_for_longer(store_url: str) -> None:
    store = open_store(store_url)
    ahead = NOW + timedelta(hours=3)

    waits = [store.admit("asked", "slack:U1", moment, 1, timedelta(minutes=1)) for moment in (ahead, NOW)]
    store.close()

    assert waits == [timedelta(0), timedelta(0)]
