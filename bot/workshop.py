"""What carries out the work on one machine, for `refit serve` and `refit worker`: store, queue, worker."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from starlette.routing import Route

from bot.app import Needs, no_engine, open_parts, store_url
from bot.cycle.crew import PROVE, PUBLISH, WRITE, Crew
from bot.cycle.known import KnownTargets
from bot.cycle.parts import Parts
from bot.cycle.reading_forge import ReadingForge
from bot.errors import NotHere, RefitError
from bot.ports import Clock, Queue, Store
from bot.queue.local import LocalQueue
from bot.queue.role import Role
from bot.settings import Settings
from bot.store.holder import this_process
from bot.triggers.chat.grammar import Word
from bot.triggers.kept import Kept
from bot.triggers.periods import Job
from bot.triggers.worker import OpenParts, Worker
from bot.under_care import Remembered
from bot.web.metrics import Counted, Metrics, metrics_route

log: Final = logging.getLogger(__name__)
# What changes what people see holds the lease; what builds nothing looks for no engine.
_PUBLISHES: Final = frozenset({Job.MONTHLY, Word.OPEN, "pull-rebase", "pull-recreate"})
_DRIVES: Final = _PUBLISHES | set(Job)
_JOBS: Final = frozenset({PROVE, PUBLISH, WRITE})
_NEEDS_ENGINE: Final = _PUBLISHES | {Job.CLEANUP, Word.RESCAN, "pull-rescan", PROVE}


class LogProgress:
    """The `Progress` port of a service: lines of the log."""

    def step(self, text: str) -> None:
        """A step of the run begins."""
        log.info("%s", text)

    def detail(self, text: str) -> None:
        """Something inside the current step."""
        log.debug("%s", text)


class Workshop:
    """Queue and worker of one machine.

    Args:
        settings: The configuration.
        store: The store; whoever opened it closes it.
        clock: Wall and monotonic time.
        slots: How many jobs of each role run here at once, where the store is shared by many machines.
        make_worker: Makes the worker, from what opens its parts.

    Raises:
        StoreError: The queue cannot be reached.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        slots: Mapping[Role, int],
        make_worker: Callable[[OpenParts], Worker],
    ) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self._stopping = threading.Event()
        self._projects = Remembered(clock)
        self._counted = Counted()
        self.worker = make_worker(self._parts)
        self.kept = Kept(self.worker, store, clock, this_process())
        self.queue: Queue = self.kept.queue(lambda work, undone: LocalQueue(work, undone=undone))
        if settings.store is not None:
            self.queue = _shared_queue(settings, self.worker, slots)

    def start(self) -> None:
        """Begin to take work."""
        self.queue.start()

    def stop(self, seconds: float) -> bool:
        """Take nothing more and wait for what runs; True when it ended in time."""
        self._stopping.set()
        return self.queue.drain(seconds)

    def close(self) -> None:
        """Give the queue back; nothing may run any more."""
        self.queue.close()

    def metrics(self) -> Route:
        """/metrics of this machine."""
        care = KnownTargets(self._store).subjects
        return metrics_route(Metrics(self._store, self._clock, self.queue.loads, self._counted, care))

    def readable(self) -> bool:
        """True where store and queue answer."""
        try:
            self._store.cycles(limit=1)
            self.queue.depth()
        except RefitError as error:
            log.warning("not ready: %s", error.message)
            return False
        return True

    @contextmanager
    def _parts(self, task: str) -> Iterator[Parts]:
        """Parts for one task; on a shared store, whoever takes the jobs proves, and writes to forges."""
        shared = self._settings.store is not None and task not in _JOBS
        needs = Needs(
            drive=task in _DRIVES,
            engine=task in _NEEDS_ENGINE and not (shared and task in _PUBLISHES),
            writes=task != PROVE,
        )
        expand = self._projects.afresh if task in _DRIVES else self._projects
        with open_parts(self._settings, LogProgress(), needs, clock=self._clock, expand=expand) as parts:
            if task == PROVE and parts.builder is None and self._settings.builder.enabled:
                raise NotHere(parts.no_builder)  # at level base it would spoil what others can prove
            try:
                yield self._shared(parts, task) if shared else parts
            finally:
                self._counted.add(parts.registry)

    def _shared(self, parts: Parts, task: str) -> Parts:
        """Parts of a machine that drives: others write to forges, and prove what is to be published."""
        crew, life = Crew(parts.store, self.queue, self._pause), uuid.uuid4().hex
        forges = {name: ReadingForge(forge, crew, life) for name, forge in parts.forges.items()}
        return replace(parts, forges=forges, crew=crew if task in _PUBLISHES else None)

    def _pause(self, seconds: float) -> None:
        """Wait for others' work; a process that is to stop hands the cycle back at once."""
        if self._stopping.wait(seconds):
            raise KeyboardInterrupt


def _shared_queue(settings: Settings, worker: Worker, slots: Mapping[Role, int]) -> Queue:
    # Procrastinate and psycopg cost 19 MB and a part of the start, which a bot on one machine need not pay.
    from bot.queue.postgresql import Pace, PostgresQueue  # noqa: PLC0415 - only where many share a store
    from bot.store.postgresql import connecting  # noqa: PLC0415 - likewise

    return PostgresQueue(
        connecting(store_url(settings)),
        worker,
        slots,
        able=partial(_why_not, settings),
        undone=worker.undone,
        pace=Pace(
            beat=settings.workers.heartbeat.total_seconds(),
            stalled=settings.workers.stalled_after.total_seconds(),
        ),
    )


def _why_not(settings: Settings, role: Role) -> str:
    """Why this machine cannot take a role's jobs: it is to build, and has no engine."""
    return no_engine(settings) if role is Role.PROVE and settings.builder.enabled else ""
