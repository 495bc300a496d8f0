"""Machines that share a queue in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bot.ports import Task
from bot.queue.postgresql import PostgresQueue
from bot.queue.role import Role
from bot.store.postgresql import connecting

SOON = 20.0
BEAT, STALLED = 0.3, 1.5


class Machine:
    """A queue of one machine, and what it carried out."""

    def __init__(
        self, url: str, slots: Mapping[Role, int], work: Callable[[Task], None] | None = None
    ) -> None:
        self.done: list[str] = []
        self._also = work
        self.queue = PostgresQueue(connecting(url), self._work, slots, beat=BEAT, stalled=STALLED)

    def _work(self, task: Task) -> None:
        if self._also is not None:
            self._also(task)
        self.done.append(task.value["n"])


@contextmanager
def machine(
    url: str, slots: Mapping[Role, int], work: Callable[[Task], None] | None = None
) -> Iterator[Machine]:
    made = Machine(url, slots, work)
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
