"""The local queue: a bounded thread pool in this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from bot.ports import Task

log: Final = logging.getLogger(__name__)

Work = Callable[[Task], None]


class LocalQueue:
    """The `Queue` port on threads; what a dying process leaves undone, the next one finds by reconciling."""

    def __init__(self, work: Work, *, threads: int = 1) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="refit-work")
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._closed = False

    def submit(self, task: Task, key: str) -> bool:
        """Take the task; False where work with this key is waiting or running, or the queue drains."""
        with self._lock:
            if self._closed or key in self._running:
                return False
            self._running[key] = self._pool.submit(self._run, task, key)
            return True

    def depth(self) -> int:
        """How many tasks wait or run."""
        with self._lock:
            return len(self._running)

    def drain(self, seconds: float) -> bool:
        """Take no more, drop what has not begun, wait for what runs; True when all of it ended in time."""
        with self._lock:
            self._closed = True
            pending = list(self._running.values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        return not wait(pending, timeout=seconds).not_done

    def _run(self, task: Task, key: str) -> None:
        try:
            self._work(task)
        except Exception:  # the worker must outlive any one task
            log.exception("task %s (%s) failed", task.name, key)
        finally:
            with self._lock:
                self._running.pop(key, None)
