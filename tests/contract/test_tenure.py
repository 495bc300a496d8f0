"""The lease of a shared store: one holder, whether others are killed, frozen, or the database restarts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot import process
from bot.errors import LeaseHeld, StoreError
from bot.store.sql import open_store
from bot.store.tenure import _LOCK, tenure
from tests.postgresql import Cluster, cluster

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
STALE = 1.0
SOON, NEVER = 120.0, 3600.0
_HOLDER = """
import sys, time
from datetime import UTC, datetime
from bot.store.sql import open_store
from bot.store.tenure import _LOCK, tenure
with tenure(sys.argv[1], beat=0.2, stale=1.0) as guard:
    store = open_store(sys.argv[1], guard)
    print("held", flush=True)
    sys.stdin.readline()
    try:
        store.begin("by the one that was frozen", datetime.now(UTC))
    except Exception as error:
        print(error, flush=True)
"""


@pytest.fixture
def url(postgresql: Cluster) -> str:
    made = postgresql.database()
    open_store(made).close()
    return made


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lease."""
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=process.environment(PYTHONPATH=str(ROOT)),
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    try:
        yield other
    finally:
        other.kill()
        other.communicate()


def beats(url: str, times: int) -> None:
    """Wait until the holder's heart has beaten so many times."""
    with psycopg.connect(url, autocommit=True) as connection:
        seen = set[object]()
        deadline = time.monotonic() + SOON
        while len(seen) <= times:
            assert time.monotonic() < deadline, "its heart does not beat"
            seen |= set(connection.execute("SELECT beat FROM leases").fetchall())
            time.sleep(0.05)


def taken(url: str) -> None:
    """Take the lease once its holder has given it back; long before the holder counts as frozen."""
    deadline = time.monotonic() + SOON
    while True:
        try:
            with tenure(url, stale=NEVER):
                return
        except LeaseHeld:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_one_process_holds_it_and_a_killed_one_gives_it_back(url: str) -> None:
    with holder(url) as other:
        beats(url, 3)
        with pytest.raises(LeaseHeld, match=rf"process {other.pid}\)"), tenure(url, stale=SOON):
            pass

        other.send_signal(signal.SIGKILL)
        other.wait()
        taken(url)


def test_a_frozen_holder_is_replaced_and_does_nothing_more_when_it_thaws(url: str) -> None:
    with holder(url) as other:
        other.send_signal(signal.SIGSTOP)
        time.sleep(2 * STALE)

        with tenure(url, stale=STALE) as guard:
            guard()
            other.send_signal(signal.SIGCONT)
            said, _ = other.communicate(b"\n", timeout=SOON)

        assert b"took over while this one stood still" in said
    store = open_store(url)
    assert store.cycles() == ()
    store.close()


def test_who_has_just_come_is_not_taken_for_the_one_that_died_before(url: str) -> None:
    with tenure(url):
        pass
    with psycopg.connect(url, autocommit=True) as come:  # it has the lock, and has not written its name yet
        come.execute("UPDATE leases SET beat = now() - interval '1 hour'")
        come.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))

        with pytest.raises(LeaseHeld), tenure(url, stale=SOON):
            pass

        assert come.execute("SELECT 1").fetchone() == (1,)


def test_an_answer_that_was_long_in_coming_is_not_taken_for_a_new_one(url: str) -> None:
    with (
        tenure(url, beat=NEVER, stale=3 * STALE) as guard,
        psycopg.connect(url) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        time.sleep(1.2 * STALE)  # the next check asks again
        other.execute("SELECT FROM leases FOR UPDATE")
        checked = thread.submit(guard)
        time.sleep(1.2 * STALE)
        other.commit()
        checked.result(SOON)

        other.execute("UPDATE leases SET holder = 'process 1 a0a0'")
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        other.commit()

        with pytest.raises(LeaseHeld, match="took over while this one stood still"):
            guard()


def test_a_database_that_is_away_is_said_and_the_holder_has_it_again_afterwards() -> None:
    with cluster() as server:
        url = server.database()
        open_store(url).close()
        with tenure(url, beat=0.2, stale=STALE) as guard:
            server.stop()
            time.sleep(2 * STALE)
            with pytest.raises(StoreError, match="the store's lease cannot be had"):
                guard()
            server.start()
            beats(url, 2)
            guard()
            with pytest.raises(LeaseHeld), tenure(url):
                pass
