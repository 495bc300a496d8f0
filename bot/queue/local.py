"""The local queue: a few threads in this process that carry out one task each at a time."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.errors import StoreError
from bot.model.load import Load
from bot.ports import Task
from bot.queue.role import role_of

log: Final = logging.getLogger(__name__)

Work = Callable[[Task], None]
Undone = Callable[[Task, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """A task with the key that makes it the same work as another."""

    task: Task
    key: str


class LocalQueue:
    """The `Queue` port on threads; what a dying process leaves undone, the next one finds by reconciling.

    The threads are daemons: work that does not end cannot keep the process from ending.

    Args:
        work: Carries out a task; what it raises is logged and costs that task only.
        undone: Told of each task that is not done and will not be done again by itself, and why: a
            `StoreError`, a KeyboardInterrupt that cut it off, None where a drain took it off the queue.
        threads: How many tasks run at once.
    """

    def __init__(self, work: Work, *, undone: Undone | None = None, threads: int = 1) -> None:
        self._work, self._undone, self._threads = work, undone, threads
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._taken: dict[str, Task] = {}
        self._started = 0
        self._closed = False

    def start(self) -> None:
        """Begin to take tasks: threads are started as they are first needed."""

    def close(self) -> None:
        """Nothing is held; the threads end with the process."""

    def submit(self, task: Task, key: str) -> bool:
        """Take the task; False where work with this key is waiting or running, or the queue drains."""
        with self._changed:
            if self._closed or key in self._taken:
                return False
            self._taken[key] = task
            self._waiting.append(_Job(task, key))
            self._start_one()
            self._changed.notify_all()
            return True

    def depth(self) -> int:
        """How many tasks wait or run."""
        with self._changed:
            return len(self._taken)

    def loads(self) -> Mapping[str, Load]:
        """How much waits and runs, by role."""
        with self._changed:
            waiting = Counter(role_of(job.task).value for job in self._waiting)
            taken = Counter(role_of(task).value for task in self._taken.values())
        return {role: Load(waiting[role], taken[role] - waiting[role]) for role in taken}

    def drain(self, seconds: float) -> bool:
        """Take no more, drop what has not begun, wait for what runs; True when all of it ended in time."""
        with self._changed:
            self._closed = True
            left, self._waiting = list(self._waiting), deque()
            for job in left:
                del self._taken[job.key]
            self._changed.notify_all()
        for job in left:
            log.warning("task %s (%s) was not begun", job.task.name, job.key)
            self._tell(job, None)
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, timeout=seconds)

    def _start_one(self) -> None:
        """Threads are started as they are first needed; the lock is held."""
        if self._started < min(self._threads, len(self._taken)):
            self._started += 1
            name = f"refit-work-{self._started}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._carry_out(job)
            finally:
                self._ended(job)

    def _ended(self, job: _Job) -> None:
        with self._changed:
            self._taken.pop(job.key, None)
            self._changed.notify_all()

    def _next(self) -> _Job | None:
        """The oldest task; None once the queue drains."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _carry_out(self, job: _Job) -> None:
        try:
            self._work(job.task)
        except KeyboardInterrupt as cut:  # a program it waited for was ended: the process is stopping
            log.warning("task %s (%s) was cut off", job.task.name, job.key)
            self._tell(job, cut)
        except StoreError as error:
            log.warning("task %s (%s) is to be asked for again", job.task.name, job.key)
            self._tell(job, error)
        except Exception:  # a thread must outlive any one task
            log.exception("task %s (%s) failed", job.task.name, job.key)

    def _tell(self, job: _Job, why: BaseException | None) -> None:
        if self._undone is None:
            return
        try:
            self._undone(job.task, why)
        except Exception:  # that nobody could be told costs no other task
            log.exception("nobody could be told of task %s (%s)", job.task.name, job.key)
