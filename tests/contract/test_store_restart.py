"""A PostgreSQL that restarts costs the store a wait; a writer that is frozen costs the others one too."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import process
from bot.errors import StoreError
from bot.store.sql import open_store
from tests.postgresql import Cluster, cluster

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
_FROZEN = """
import sys
from bot.store.sql import open_store
store = open_store(sys.argv[1])
with store.writing():
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server that this test may stop."""
    with cluster() as running:
        yield running


def test_what_is_asked_while_the_database_restarts_waits_for_it(server: Cluster) -> None:
    store = open_store(server.database())
    store.begin("monthly-2026-11", NOW)
    server.stop()
    later = threading.Timer(1.0, server.start)
    later.start()

    assert [cycle.id for cycle in store.cycles()] == ["monthly-2026-11"]
    later.join()
    store.close()


def test_a_database_that_is_not_there_at_start_is_said_at_once_and_without_the_password() -> None:
    with pytest.raises(StoreError, match="cannot open the store postgresql") as raised:
        open_store("postgresql://refit:secret@127.0.0.1:1/refit")

    assert "secret" not in str(raised.value)


def test_a_process_frozen_in_the_middle_of_a_write_does_not_hold_the_others_up(postgresql: Cluster) -> None:
    url = postgresql.database()
    env = process.environment(PYTHONPATH=str(ROOT))
    frozen = subprocess.Popen(
        [sys.executable, "-c", _FROZEN, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    assert frozen.stdout is not None
    assert frozen.stdout.readline() == b"writing\n"
    frozen.send_signal(signal.SIGSTOP)

    store = open_store(url)
    store.begin("monthly-2026-11", NOW)

    assert [cycle.id for cycle in store.cycles()] == ["monthly-2026-11"]
    store.close()
    frozen.kill()
    frozen.communicate()
