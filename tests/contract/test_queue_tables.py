"""The queue's tables are those that the installed library works with, whichever version made them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, LiteralString

import psycopg
import pytest

from bot.errors import StoreError
from bot.ports import Task
from bot.queue.postgresql import PostgresQueue
from bot.queue.role import Role
from bot.queue.tables import bring_up_to_date, changes
from bot.store.postgresql import connecting
from tests.contract.machines import SOON, machine, proof, until
from tests.postgresql import Cluster

# What there is to be seen of a schema: columns, indexes, functions, triggers, and values of types.
SHAPE: Final[tuple[LiteralString, ...]] = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
       WHERE table_name LIKE 'procrastinate%' ORDER BY table_name, column_name""",
    "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%' ORDER BY indexdef",
    """SELECT proname, pg_get_function_identity_arguments(oid), prosrc FROM pg_proc
       WHERE proname LIKE 'procrastinate%' ORDER BY 1, 2""",
    """SELECT event_object_table, trigger_name, event_manipulation, action_statement
       FROM information_schema.triggers ORDER BY 1, 2, 3""",
    "SELECT typname, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY 1, 2",
)
ADD: Final = "INSERT INTO refit_queue_changes VALUES (%s)"
WAITS: Final = """INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
                  VALUES ('prove', 'refit', %s, %s, %s)"""
FIRST, BEFORE_PRIORITY, BEFORE_LAST = "00.00.00", "03.02.00", "03.04.00_01"


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.database()


def run(url: str, statement: str, *values: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), values or None)


def made_by(version: str, url: str) -> None:
    """A queue's tables as a Refit with an older library left them."""
    run(url, "CREATE TABLE refit_queue_changes (name text PRIMARY KEY, at timestamptz DEFAULT now())")
    for name, file in changes().items():
        if name[: len(version)] <= version:
            run(url, file.read_text(encoding="utf-8"))
            run(url, ADD, name)


def shape(url: str) -> list[list[tuple[Any, ...]]]:
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in SHAPE]


@pytest.mark.parametrize("version", [FIRST, BEFORE_PRIORITY, BEFORE_LAST])
def test_older_tables_become_those_that_are_made_today(version: str, url: str, postgresql: Cluster) -> None:
    made_by(version, url)
    fresh = postgresql.database()
    bring_up_to_date(connecting(fresh))
    assert shape(url) != shape(fresh)

    bring_up_to_date(connecting(url))

    assert shape(url) == shape(fresh)


def test_work_that_waits_in_older_tables_is_done(url: str) -> None:
    made_by(BEFORE_PRIORITY, url)
    task, key = proof(7)
    run(url, WAITS, key, key, json.dumps({"name": task.name, "key": key, "value": dict(task.value)}))

    with machine(url, {Role.PROVE: 1}) as one:
        until(lambda: one.done == ["7"])


def test_tables_from_before_changes_were_recorded_are_taken_for_what_they_are(url: str) -> None:
    bring_up_to_date(connecting(url))
    before = shape(url)
    run(url, "DROP TABLE refit_queue_changes")

    with machine(url, {Role.PROVE: 1}) as one:
        one.queue.submit(*proof(1))
        until(lambda: one.done == ["1"])

    assert shape(url) == before


def test_tables_of_a_newer_version_are_refused_with_what_to_do(url: str) -> None:
    bring_up_to_date(connecting(url))
    run(url, ADD, "99.01.00_01_pre_whatever_comes")

    with pytest.raises(StoreError, match=r"99\.01\.00_01_pre_whatever_comes.*newer") as caught:
        PostgresQueue(connecting(url), lambda _: None, {})

    assert "install that version" in caught.value.hint


def test_machines_that_start_at_once_make_them_once(url: str) -> None:
    def start(_: int) -> bool:
        queue = PostgresQueue(connecting(url), lambda _: None, {})
        queue.submit(Task("prove", {"n": "1"}), "one")
        queue.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(start, range(4), timeout=3 * SOON))
