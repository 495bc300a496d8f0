"""The lease of a shared store: one holder, whether others are killed, frozen, or the database restarts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import process
from bot.errors import LeaseHeld, StoreError
from bot.store.sql import open_store
from bot.store.tenure import tenure
from tests.postgresql import Cluster, cluster

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
STALE = 1.0
_HOLDER = """
import sys, time
from datetime import UTC, datetime
from bot.store.sql import open_store
from bot.store.tenure import tenure
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


def test_one_process_holds_it_and_a_killed_one_gives_it_back(url: str) -> None:
    with holder(url) as other:
        time.sleep(2 * STALE)  # it lives: its heart beats
        with pytest.raises(LeaseHeld, match=rf"process {other.pid}\)"), tenure(url, stale=STALE):
            pass

        other.send_signal(signal.SIGKILL)
        other.wait()
        time.sleep(0.5)
        with tenure(url, stale=STALE):
            pass


def test_a_frozen_holder_is_replaced_and_does_nothing_more_when_it_thaws(url: str) -> None:
    with holder(url) as other:
        other.send_signal(signal.SIGSTOP)
        time.sleep(2 * STALE)

        with tenure(url, stale=STALE) as guard:
            guard()
            other.send_signal(signal.SIGCONT)
            said, _ = other.communicate(b"\n", timeout=60)

        assert b"took over while this one stood still" in said
    store = open_store(url)
    assert store.cycles() == ()
    store.close()


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
            guard()
            with pytest.raises(LeaseHeld), tenure(url):
                pass
