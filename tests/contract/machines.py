"""Machines that share a queue in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bot.ports import Task
from bot.queue.postgresql import Pace, PostgresQueue
from bot.queue.role import Role
from bot.store.postgresql import connecting

SOON = 120.0  # a bound for what hangs
BEAT, STALLED = 0.3, 4.0


class Machine:
    """A queue of one machine, and what it carried out."""

    def __init__(
        self, url: str, slots: Mapping[Role, int], work: Callable[[Task], None] | None, stalled: float
    ) -> None:
        self.done: list[str] = []
        self._also = work
        self.queue = PostgresQueue(connecting(url), self._work, slots, pace=Pace(beat=BEAT, stalled=stalled))

    def _work(self, task: Task) -> None:
        if self._also is not None:
            self._also(task)
        self.done.append(task.value["n"])


@contextmanager
def machine(
    url: str,
    slots: Mapping[Role, int],
    work: Callable[[Task], None] | None = None,
    *,
    stalled: float = SOON,
) -> Iterator[Machine]:
    """A machine; a short `stalled` is for tests in which one dies, for a slow machine may seem dead."""
    made = Machine(url, slots, work, stalled)
    made.queue.start()
    try:
        yield made
    finally:
        assert made.queue.drain(SOON)
        made.queue.close()


def proof(number: int) -> tuple[Task, str]:
    return Task("prove", {"n": str(number)}), f"prove {number}"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
