"""The long-running bot, put together: schedule, queue, worker, chat and web around the cycle."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from zoneinfo import ZoneInfo

from slack_bolt import App
from starlette.applications import Starlette

from bot.app import open_parts, opened_store, state_folder
from bot.clock import SystemClock
from bot.cycle.parts import Parts
from bot.cycle.rescan import targets
from bot.errors import RefitError
from bot.model.run import CycleState
from bot.queue.local import LocalQueue
from bot.settings import Settings
from bot.triggers.chat.slack import SlackAccess, SlackChat, client, slack_app
from bot.triggers.periods import Job, Timetable
from bot.triggers.schedule import Schedule
from bot.triggers.worker import Worker
from bot.web.app import web_app

log: Final = logging.getLogger(__name__)
_LEDGER: Final = 500
_SHOWN: Final = 5


class LogProgress:
    """The `Progress` port of a service: lines of the log."""

    def step(self, text: str) -> None:
        """A step of the run begins."""
        log.info("%s", text)

    def detail(self, text: str) -> None:
        """Something inside the current step."""
        log.debug("%s", text)


class Service:
    """Everything `refit serve` runs; work happens one task at a time.

    Args:
        settings: The configuration.

    Raises:
        ConfigError: A secret is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        slack = settings.slack
        web = client(slack.bot_token.read("slack.bot_token"), slack.url) if slack else None
        self._queue = LocalQueue(Worker(self._parts, SlackChat(web) if web else None))
        self._schedule = Schedule(self._timetable(), self._queue, self._done, self._clock)
        self._targets: tuple[str, ...] = ()
        self.web: Starlette = web_app(self._ready, self._slack() if slack else None)

    def start(self) -> None:
        """Catch up on what was missed, then keep time."""
        self._targets = self._names()
        self._schedule.start()

    def stop(self, seconds: float) -> bool:
        """Ask for nothing more and wait for what runs; True when it ended in time."""
        self._schedule.stop()
        return self._queue.drain(seconds)

    def _ready(self) -> dict[str, bool]:
        return {"schedule": self._schedule.running}

    def _timetable(self) -> Timetable:
        schedule = self._settings.schedule
        crons = {
            Job.MONTHLY: schedule.monthly,
            Job.OBSERVE: schedule.observe,
            Job.QUARTERLY: schedule.quarterly,
        }
        return Timetable(crons, ZoneInfo(self._settings.timezone))

    @contextmanager
    def _parts(self) -> Iterator[Parts]:
        with open_parts(self._settings, LogProgress(), clock=self._clock) as parts:
            yield parts

    def _done(self) -> set[str]:
        """Names of the periods that are done, from the store's ledger."""
        with opened_store(state_folder(self._settings)) as store:
            return {cycle.name for cycle in store.cycles(limit=_LEDGER) if cycle.state is CycleState.DONE}

    def _names(self) -> tuple[str, ...]:
        """Names of all targets, for "did you mean" in chat; a project out of reach costs only the hint."""
        configured = tuple(target.name for project in self._settings.projects for target in project.targets)
        if configured or not self._settings.slack:
            return configured
        try:
            with self._parts() as parts:
                return tuple(target.name for target in targets(parts))
        except RefitError as error:
            log.warning("the targets are not known yet: %s", error.message)
            return ()

    def _slack(self) -> App:
        slack = self._settings.slack
        if slack is None:
            raise ValueError("Slack is not configured")
        return slack_app(
            client(slack.bot_token.read("slack.bot_token"), slack.url),
            signing_secret=slack.signing_secret.read("slack.signing_secret"),
            access=SlackAccess(frozenset(slack.users), frozenset(slack.channels)),
            queue=self._queue,
            targets=lambda: self._targets,
            status=self._status,
            audit=self._audit,
        )

    def _status(self) -> str:
        with opened_store(state_folder(self._settings)) as store:
            cycles = store.cycles(limit=_SHOWN)
        lines = [f"{cycle.id}: {cycle.state}, begun {cycle.started:%Y-%m-%d %H:%M} UTC" for cycle in cycles]
        return "\n".join(lines) or "Nothing ran yet."

    def _audit(self, who: str, what: str, detail: str) -> None:
        with opened_store(state_folder(self._settings)) as store:
            store.audit(who, what, detail, self._clock.now())
