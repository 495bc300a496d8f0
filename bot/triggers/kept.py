"""Work that somebody waits for: a note of it outlives a process that is killed in the middle of it."""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bot.cycle.cleanup import PENDING
from bot.errors import StoreError
from bot.ports import Clock, Queue, Store, Task
from bot.triggers.webhook import COMMENT

log: Final = logging.getLogger(__name__)
Undone = Callable[[Task, BaseException | None], None]
_NOTE: Final = "note"
AGAIN: Final = "again"
# Nothing that a person asks for takes as long: whoever had it, on whichever machine, has it no more.
_ABANDONED: Final = timedelta(hours=6)


class Work(Protocol):
    """What carries out tasks, and tells of those that it did not."""

    def __call__(self, task: Task) -> None:
        """Carry out a task."""
        ...

    def undone(self, task: Task, why: BaseException | None) -> None:
        """Tell whoever waits that a task was not done."""
        ...


class Kept:
    """Notes of what people asked for, from before it is begun until it has ended.

    Args:
        work: Carries it out.
        store: Keeps the notes.
        clock: Wall time.
        who: This process, as the others name it.
    """

    def __init__(self, work: Work, store: Store, clock: Clock, who: str) -> None:
        self._work, self._store, self._clock, self._who = work, store, clock, who

    def queue(self, make: Callable[[Callable[[Task], None], Undone], Queue]) -> KeptQueue:
        """A queue whose tasks are noted; `make` is given what carries one out, what hears of undone."""
        return KeptQueue(make(self._carry_out, self._undone), self)

    def note(self, task: Task, key: str) -> Task:
        """The task, noted where somebody waits for it.

        Raises:
            StoreError: It cannot be noted.
        """
        if task.name != COMMENT and "thread" not in task.value:
            return task
        noted = replace(task, value={**task.value, _NOTE: uuid.uuid4().hex})
        now = self._clock.now()
        body = {"name": task.name, "value": dict(task.value), "key": key, "who": self._who}
        kept = json.dumps({**body, "at": now.isoformat()})
        self._store.remember(PENDING, noted.value[_NOTE], now, kept)
        return noted

    def ended(self, task: Task) -> None:
        """It was answered, or is not to be done."""
        try:
            if note := task.value.get(_NOTE):
                self._store.forget(PENDING, note)
        except StoreError as error:
            log.warning("what has ended may be told again: %s", error.message)

    def take_up(self, queue: Queue) -> None:
        """Go on with what a killed process left: hear a comment again, and tell whoever else waits.

        Args:
            queue: Takes comments.

        Raises:
            StoreError: The notes cannot be read.
        """
        notes = {note: json.loads(body) for note, body in self._store.noted(PENDING).items()}
        left = {note: body for note, body in notes.items() if self._is_left(body)}
        if left:  # a chat may take its time, which nothing waits for
            threading.Thread(target=self._take_up, args=(left, queue), name="refit-left", daemon=True).start()

    def _take_up(self, left: Mapping[str, Mapping[str, Any]], queue: Queue) -> None:
        for note, body in left.items():
            task = Task(body["name"], body["value"])
            try:
                if task.name == COMMENT:
                    queue.submit(Task(COMMENT, {**task.value, AGAIN: "yes"}), body["key"])
                else:
                    self._work.undone(task, KeyboardInterrupt())
                self._store.forget(PENDING, note)
            except StoreError as error:
                log.warning("what a killed process left is told at the next start: %s", error.message)

    def _is_left(self, body: Mapping[str, str]) -> bool:
        """True where no process has it any more: it is not asked before ours takes anything itself."""
        old = self._clock.now() - datetime.fromisoformat(body["at"]) > _ABANDONED
        host, _, number = body["who"].rpartition(" process ")
        here = host == self._who.rpartition(" process ")[0]
        return old or body["who"] == self._who or (here and not _runs(int(number)))

    def _carry_out(self, task: Task) -> None:
        self._work(task)
        self.ended(task)

    def _undone(self, task: Task, why: BaseException | None) -> None:
        """A comment that was not heard is heard at the next start; anybody else is told now."""
        if task.name != COMMENT:
            self._work.undone(task, why)
            self.ended(task)


class KeptQueue:
    """The `Queue` port on another queue, with a note of each task that somebody waits for."""

    def __init__(self, queue: Queue, kept: Kept) -> None:
        self._queue, self._kept = queue, kept
        self.start, self.close, self.depth = queue.start, queue.close, queue.depth
        self.loads, self.drain = queue.loads, queue.drain

    def submit(self, task: Task, key: str) -> bool:
        """See `Queue.submit`."""
        noted = self._kept.note(task, key)
        if self._queue.submit(noted, key):
            return True
        self._kept.ended(noted)
        return False


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
