"""The queue's promises: once for each key, nothing lost, and a drain with a bound."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from bot.errors import StoreError
from bot.ports import Task
from bot.queue.local import LocalQueue

SOON = 120.0  # a bound for what hangs
CUT, NO_STORE = KeyboardInterrupt(), StoreError("the disk is full")


@dataclass
class Works:
    """Work that waits until it is let go, and remembers what began, ended and was not done."""

    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: list[str] = field(default_factory=list)
    undone: list[tuple[str, BaseException | None]] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, task: Task) -> None:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.begun.release()
        self.gate.wait(SOON)
        with self._lock:
            self.at_once -= 1
            self.ended.append(task.name)
        if task.name == "fails":
            raise ValueError("told to")
        if task.name == "is cut off":
            raise CUT
        if task.name == "finds no store":
            raise NO_STORE

    def tell(self, task: Task, why: BaseException | None) -> None:
        self.undone.append((task.name, why))
        if task.name == "fails":
            raise ValueError("told to")

    def queue(self, threads: int = 1) -> LocalQueue:
        return LocalQueue(self, undone=self.tell, threads=threads)


def free() -> Works:
    """Work that waits for nothing."""
    works = Works()
    works.gate.set()
    return works


def test_tasks_are_carried_out_in_the_order_they_came() -> None:
    works = Works()
    queue = works.queue()
    for name in "abcd":
        assert queue.submit(Task(name), name)
    assert queue.depth() == 4
    assert sum(load.waiting + load.running for load in queue.loads().values()) == 4

    works.gate.set()
    for _ in "abcd":
        assert works.begun.acquire(timeout=SOON)

    assert queue.drain(SOON)
    assert works.ended == ["a", "b", "c", "d"]
    assert queue.depth() == 0


def test_work_with_a_key_that_waits_or_runs_is_taken_once() -> None:
    works = Works()
    queue = works.queue()

    assert queue.submit(Task("runs"), "one")
    assert works.begun.acquire(timeout=SOON)
    assert queue.submit(Task("waits"), "two")

    assert not queue.submit(Task("again"), "one")
    assert not queue.submit(Task("again"), "two")


def test_a_key_is_free_again_when_its_work_has_ended() -> None:
    works = free()
    queue = works.queue()
    ended = threading.Event()

    assert queue.submit(Task("first"), "one")
    assert works.begun.acquire(timeout=SOON)
    while queue.depth():
        ended.wait(0.01)

    assert queue.submit(Task("second"), "one")
    assert works.begun.acquire(timeout=SOON)


@pytest.mark.parametrize(
    ("how", "undone"),
    [
        ("fails", []),
        ("is cut off", [("is cut off", CUT)]),
        ("finds no store", [("finds no store", NO_STORE)]),
    ],
)
def test_a_task_that_is_not_done_costs_the_others_nothing_and_who_waits_is_told(
    how: str, undone: list[tuple[str, BaseException]]
) -> None:
    works = free()
    queue = works.queue()

    queue.submit(Task(how), "one")
    queue.submit(Task("good"), "two")
    for _ in range(2):
        assert works.begun.acquire(timeout=SOON)

    assert queue.drain(SOON)
    assert works.ended == [how, "good"]
    assert works.undone == undone


def test_as_many_run_at_once_as_there_are_threads() -> None:
    works = Works()
    queue = works.queue(threads=3)

    for name in "abcde":
        queue.submit(Task(name), name)
    for _ in range(3):
        assert works.begun.acquire(timeout=SOON)

    assert not works.begun.acquire(timeout=0.05)
    works.gate.set()
    for _ in range(2):
        assert works.begun.acquire(timeout=SOON)
    assert works.most == 3


def test_a_drain_waits_for_what_runs_and_tells_of_what_did_not_begin() -> None:
    works = Works()
    queue = works.queue()
    queue.submit(Task("runs"), "one")
    assert works.begun.acquire(timeout=SOON)
    queue.submit(Task("fails"), "two")
    queue.submit(Task("waits"), "three")

    threading.Timer(0.05, works.gate.set).start()

    assert queue.drain(SOON)
    assert works.ended == ["runs"]
    assert works.undone == [("fails", None), ("waits", None)]
    assert not queue.submit(Task("late"), "four")


def test_a_drain_gives_up_at_its_bound_and_may_be_asked_again() -> None:
    works = Works()
    queue = works.queue()
    queue.submit(Task("runs"), "one")
    assert works.begun.acquire(timeout=SOON)

    assert not queue.drain(0.05)
    works.gate.set()
    assert queue.drain(SOON)


def test_a_drain_of_a_queue_that_never_worked_ends_at_once() -> None:
    assert Works().queue().drain(0)
