"""The long-running bot, put together: schedule, queues, worker, chat and web around the cycle."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.routing import Route

from bot.app import shelf, store_url
from bot.clock import SystemClock
from bot.convert import timetable
from bot.cycle.known import KnownTargets
from bot.logs import run_named
from bot.model.answer import Answer
from bot.model.run import PublicationKind, PublicationState
from bot.ports import Queue
from bot.queue.local import LocalQueue
from bot.queue.role import Role
from bot.report.chat import coming, status, untaken
from bot.settings import Settings
from bot.store.apart import open_store_apart
from bot.talk import Talk
from bot.triggers.chat.conversation import Conversation
from bot.triggers.chat.grammar import Word
from bot.triggers.ledger import finished_periods, last_of_each, outcome
from bot.triggers.outbox import undelivered
from bot.triggers.schedule import Schedule
from bot.triggers.webhook import COMMENT
from bot.triggers.worker import OpenParts, Worker
from bot.web.app import Part, web_app
from bot.web.artifacts import artifacts_route
from bot.workshop import Workshop

log: Final = logging.getLogger(__name__)
_QUICK_AT_ONCE: Final = 2
_PUBLISHES: Final = frozenset({Word.OPEN, Word.REBASE, Word.RECREATE})


class Service:
    """Everything `refit serve` runs: what is due in one queue, what people ask for in others.

    Args:
        settings: The configuration.

    Raises:
        ConfigError: A secret is missing.
        StoreError: The store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._store = open_store_apart(store_url(settings))
        self._known = KnownTargets(self._store)
        self._talk = Talk(settings, self._store, self._clock)
        self._shop = Workshop(settings, self._store, self._clock, _slots(settings), self._worker)
        kept, self._due = self._shop.kept, self._shop.queue
        self._asked = kept.queue(lambda work, undone: LocalQueue(work, undone=undone))
        self._quick = kept.queue(lambda work, undone: LocalQueue(work, undone=undone, threads=_QUICK_AT_ONCE))
        done = partial(finished_periods, self._store)
        self._schedule = Schedule(timetable(settings), self._due, done, self._clock)
        self._talk.listen(self._queue, self._targets, {Word.STATUS: self._status, Word.NEXT: self._next})
        self.web: Starlette = web_app(
            self._parts(), [self._shop.metrics(), *_artifacts(settings), *self._talk.routes]
        )

    def start(self) -> None:
        """Catch up on what was missed, then keep time."""
        self._shop.kept.take_up(self._quick)
        self._talk.start()
        self._shop.start()
        self._schedule.start()

    def stop(self, seconds: float) -> bool:
        """Ask for nothing more and wait for what runs; True when it ended in time."""
        self._schedule.stop()
        self._talk.stop()
        deadline = self._clock.monotonic() + seconds
        stops = (self._quick.drain, self._asked.drain, self._shop.stop)
        return all([stop(max(0.0, deadline - self._clock.monotonic())) for stop in stops])  # noqa: C419 - each

    def close(self) -> None:
        """Give queue and store back; nothing may run any more."""
        self._talk.close()
        self._shop.close()
        self._store.close()

    def _parts(self) -> dict[str, Part]:
        """What must be ready, each chat by its name."""
        own: dict[str, Part] = {"store": self._shop.readable, "schedule": lambda: self._schedule.running}
        return own | dict(self._talk.parts())

    def _worker(self, parts: OpenParts) -> Worker:
        answers = Conversation(self._talk.answers, self._talk.may)
        return Worker(parts, answers, {COMMENT: self._talk.comment}, self._talk.news, run_named)

    def _queue(self, word: Word) -> Queue:
        """What opens pull requests waits for cycles, what scans for scans, the rest for neither."""
        if word in _PUBLISHES:
            return self._due
        return self._asked if word is Word.RESCAN else self._quick

    def _targets(self) -> tuple[str, ...]:
        """Names of all targets, configured or seen by the newest cycle, for "did you mean" in chat."""
        configured = {target.name for project in self._settings.projects for target in project.targets}
        return tuple(sorted(configured | set(self._known())))

    def _status(self) -> Answer:
        pulls = [one for one in self._store.publications() if one.kind is PublicationKind.PULL_REQUEST]
        open_ = sum(one.state is PublicationState.OPEN for one in pulls)
        told = [(cycle, f", {outcome(self._store, cycle)}") for cycle in last_of_each(self._store)]
        snoozes = self._store.snoozes(self._clock.now())
        ailing = [*undelivered(self._store), *untaken(self._shop.queue.loads())]
        return status(told, open_, snoozes, ZoneInfo(self._settings.timezone), ailing)

    def _next(self) -> Answer:
        jobs, now = timetable(self._settings), self._clock.now()
        due = {job.value: jobs.next_due(job, now) for job in jobs.crons}
        return coming([(name, moment) for name, moment in due.items() if moment is not None])


class WorkerService:
    """What `refit worker` runs: jobs of one role, and its own health.

    Args:
        settings: The configuration.
        role: What it takes.
        slots: How many jobs run at once.

    Raises:
        ConfigError: A secret is missing.
        StoreError: The store cannot be opened.
    """

    def __init__(self, settings: Settings, role: Role, slots: int) -> None:
        self._store = open_store_apart(store_url(settings))
        self._shop = Workshop(settings, self._store, SystemClock(), {role: slots}, _plain_worker)
        self.web: Starlette = web_app({"store": self._shop.readable}, [self._shop.metrics()])

    def start(self) -> None:
        """Begin to take jobs."""
        self._shop.start()

    def stop(self, seconds: float) -> bool:
        """Take nothing more and wait for what runs; True when it ended in time."""
        return self._shop.stop(seconds)

    def close(self) -> None:
        """Give queue and store back; nothing may run any more."""
        self._shop.close()
        self._store.close()


def _plain_worker(parts: OpenParts) -> Worker:
    """Nobody talks to a machine that only works."""
    return Worker(parts, named=run_named)


def _artifacts(settings: Settings) -> list[Route]:
    """Kept documents are served where the configuration links to them."""
    return [artifacts_route(shelf(settings))] if settings.artifacts.link else []


def _slots(settings: Settings) -> dict[Role, int]:
    """On a shared store this machine drives, and does what is not left to others."""
    also = {Role(one): 1 for one in settings.workers.serve if one != "prove" or settings.builder.enabled}
    return {Role.DRIVE: 1} | also
