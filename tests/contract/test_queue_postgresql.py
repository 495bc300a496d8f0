"""The queue of many machines: once for each key over all of them, and nothing lost with one of them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from bot import process
from bot.errors import NotHere, StoreError
from bot.model.load import Load
from bot.ports import Task
from bot.queue.postgresql import Pace, PostgresQueue
from bot.queue.role import Role
from bot.store.postgresql import connecting
from tests.contract.machines import BEAT, SOON, STALLED, machine, proof, until
from tests.postgresql import Cluster, cluster

ROOT = Path(__file__).parents[2]
_MACHINE = f"""
import sys, time
from bot.queue.postgresql import Pace, PostgresQueue
from bot.queue.role import Role
from bot.store.postgresql import connecting
def work(task):
    print(task.value["n"], flush=True)
    time.sleep(600)
pace = Pace(beat={BEAT}, stalled={STALLED})
queue = PostgresQueue(connecting(sys.argv[1]), work, {{Role.PROVE: 2}}, pace=pace)
queue.start()
time.sleep(600)
"""


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.database()


def test_work_is_done_once_by_whoever_is_free(url: str) -> None:
    with machine(url, {Role.PROVE: 2}) as first, machine(url, {Role.PROVE: 2}) as second:
        for number in range(20):
            assert first.queue.submit(*proof(number))
        until(lambda: second.queue.depth() == 0)

    assert sorted(map(int, first.done + second.done)) == list(range(20))


def test_the_same_key_is_taken_once_while_it_waits_or_runs_on_any_machine(url: str) -> None:
    gate, begun = threading.Event(), threading.Event()

    def wait(_: Task) -> None:
        begun.set()
        gate.wait(SOON)

    with machine(url, {}) as asking, machine(url, {Role.PROVE: 1}, wait):
        assert asking.queue.submit(*proof(1))
        assert begun.wait(SOON)
        assert asking.queue.submit(*proof(2))

        assert not asking.queue.submit(*proof(1))
        assert not asking.queue.submit(*proof(2))
        assert asking.queue.loads()["prove"] == Load(waiting=1, running=1)
        assert asking.queue.depth() == 2
        gate.set()
        until(lambda: asking.queue.depth() == 0)

        assert asking.queue.submit(*proof(1))


def test_what_is_written_in_one_project_goes_one_after_the_other(url: str) -> None:
    at_once: dict[str, int] = {}
    most: dict[str, int] = {}
    lock = threading.Lock()

    def publish(task: Task) -> None:
        project = task.value["project"]
        with lock:
            at_once[project] = at_once.get(project, 0) + 1
            most[project] = max(most.get(project, 0), at_once[project])
        time.sleep(0.05)
        with lock:
            at_once[project] -= 1

    with machine(url, {Role.PUBLISH: 4}, publish) as one:
        for number in range(6):
            value = {"n": str(number), "project": "ab"[number % 2]}
            assert one.queue.submit(Task(("publish", "write")[number // 3], value), f"publish {number}")
        until(lambda: one.queue.depth() == 0)

    assert len(one.done) == 6
    assert most == {"a": 1, "b": 1}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_jobs_of_a_machine_that_dies_are_given_to_another(url: str, how: signal.Signals) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", _MACHINE, url],
        stdout=subprocess.PIPE,
        env=process.environment(PYTHONPATH=str(ROOT)),
    )
    assert other.stdout is not None
    with machine(url, {}) as asking:
        for number in range(2):
            asking.queue.submit(*proof(number))
        begun = {other.stdout.readline().decode().strip() for _ in range(2)}
        other.send_signal(how)
        asking.queue.submit(*proof(2))

        with machine(url, {Role.PROVE: 1}, stalled=STALLED) as living:
            until(lambda: asking.queue.depth() == 0)
    other.kill()
    other.communicate()

    assert begun == {"0", "1"}
    assert sorted(living.done) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "cut", [KeyboardInterrupt(), StoreError("the store restarts")], ids=["stop", "no store"]
)
def test_what_could_not_be_done_here_is_done_elsewhere(url: str, cut: BaseException) -> None:
    def fail(_: Task) -> None:
        raise cut

    with machine(url, {}) as asking:
        with machine(url, {Role.PROVE: 1}, fail) as first:
            asking.queue.submit(*proof(1))
            until(lambda: not first.done and asking.queue.depth() == 1)
            time.sleep(0.3)
        with machine(url, {Role.PROVE: 1}) as second:
            until(lambda: asking.queue.depth() == 0)

    assert second.done == ["1"]


def test_a_machine_that_lost_its_engine_takes_nothing_until_it_is_back(url: str) -> None:
    engine = threading.Event()
    tried: list[str] = []

    def able(_: Role) -> str:
        return "" if engine.is_set() or not tried else "no engine"

    def build(task: Task) -> None:
        tried.append(task.value["n"])
        if not engine.is_set():
            raise NotHere("no engine")

    queue = PostgresQueue(connecting(url), build, {Role.PROVE: 1}, able=able, pace=Pace(look=0.1, beat=BEAT))
    queue.start()
    with machine(url, {}) as asking:
        asking.queue.submit(*proof(1))
        until(lambda: tried == ["1"])
        time.sleep(0.5)
        assert tried == ["1"]
        assert asking.queue.depth() == 1

        with machine(url, {Role.PROVE: 1}) as other:
            until(lambda: other.done == ["1"])
        engine.set()
        asking.queue.submit(*proof(2))
        until(lambda: tried == ["1", "2"])
        until(lambda: asking.queue.depth() == 0)
    assert queue.drain(SOON)
    queue.close()


def test_a_machine_that_waits_for_its_engine_stops_at_once(url: str) -> None:
    queue = PostgresQueue(
        connecting(url),
        lambda _: None,
        {Role.PROVE: 1},
        able=lambda _: "no engine",
        pace=Pace(look=10 * SOON),
    )
    queue.start()
    queue.submit(*proof(1))
    time.sleep(0.3)

    assert queue.drain(SOON)
    assert queue.depth() == 1
    queue.close()


def test_what_is_given_up_after_many_attempts_is_told_once(url: str) -> None:
    tried, told = [], []

    def fail(task: Task) -> None:
        tried.append(task.value["n"])
        raise StoreError("another Refit drives")

    def tell(task: Task, error: StoreError) -> None:
        told.append((task.value["n"], error.message))

    queue = PostgresQueue(connecting(url), fail, {Role.PROVE: 1}, undone=tell, pace=Pace(attempts=1))
    queue.start()
    queue.submit(*proof(1))
    until(lambda: queue.depth() == 0)
    assert queue.drain(SOON)
    queue.close()

    assert (tried, told) == (["1", "1"], [("1", "another Refit drives")])


def test_a_database_that_does_not_answer_is_said(url: str) -> None:
    queue = PostgresQueue(connecting(url), lambda _: None, {}, pace=Pace(patience=0.5))

    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE procrastinate_jobs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="its database does not answer"):
            queue.submit(*proof(1))
    queue.close()


def test_a_task_that_fails_costs_the_others_nothing(url: str) -> None:
    def fail(task: Task) -> None:
        if task.value["n"] == "1":
            raise ValueError("told to")

    with machine(url, {Role.PROVE: 1}, fail) as one:
        for number in range(3):
            one.queue.submit(*proof(number))
        until(lambda: one.queue.depth() == 0)

    assert one.done == ["0", "2"]


def test_a_drain_waits_for_what_runs_and_leaves_the_rest_to_others(url: str) -> None:
    gate, begun = threading.Event(), threading.Event()

    def wait(_: Task) -> None:
        begun.set()
        gate.wait(SOON)

    with machine(url, {Role.PROVE: 1}, wait) as one:
        one.queue.submit(*proof(1))
        one.queue.submit(*proof(2))
        assert begun.wait(SOON)
        assert not one.queue.drain(0.05)
        gate.set()
        assert one.queue.drain(SOON)
    assert one.done == ["1"]

    with machine(url, {Role.PROVE: 1}) as next_one:
        until(lambda: next_one.done == ["2"])


def test_a_database_that_restarts_costs_a_wait() -> None:
    with cluster() as server, machine(server.database(), {Role.PROVE: 1}) as one:
        one.queue.submit(*proof(1))
        until(lambda: one.done == ["1"])
        server.stop()
        server.start()

        one.queue.submit(*proof(2))
        until(lambda: "2" in one.done)
