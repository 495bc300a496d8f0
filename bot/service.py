"""The long-running bot, put together: schedule, queues, worker, chat and web around the cycle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from zoneinfo import ZoneInfo

from slack_bolt import App
from slack_sdk import WebClient
from starlette.applications import Starlette

from bot.app import open_parts, store_url
from bot.clock import SystemClock
from bot.cycle.parts import Parts
from bot.cycle.rescan import known_targets
from bot.errors import ChatError, RefitError
from bot.model.run import CycleState
from bot.queue.local import LocalQueue
from bot.report.quote import visible
from bot.settings import Settings
from bot.store.sql import open_store
from bot.triggers.chat.deliveries import Deliveries
from bot.triggers.chat.slack import SlackAccess, SlackChat, SlackCommands, client, slack_app
from bot.triggers.periods import Job, Timetable
from bot.triggers.schedule import Schedule
from bot.triggers.worker import Worker
from bot.web.app import web_app

log: Final = logging.getLogger(__name__)
_LEDGER: Final = 500
_SHOWN: Final = 5
_AGAIN_SECONDS: Final = 30.0
_ON_REQUEST: Final = "rescan"
_NEEDS_ENGINE: Final = frozenset({"monthly", _ON_REQUEST})


class LogProgress:
    """The `Progress` port of a service: lines of the log."""

    def step(self, text: str) -> None:
        """A step of the run begins."""
        log.info("%s", text)

    def detail(self, text: str) -> None:
        """Something inside the current step."""
        log.debug("%s", text)


class Service:
    """Everything `refit serve` runs: what is due in one queue, what people ask for in another.

    Args:
        settings: The configuration.

    Raises:
        ConfigError: A secret is missing.
        StoreError: The store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._slack = _slack(settings)
        self._chat = SlackChat(self._slack) if self._slack else None
        self._store = open_store(store_url(settings))
        worker = Worker(self._parts, self._chat)
        self._due = LocalQueue(worker)
        self._asked = LocalQueue(worker, dropped=worker.dropped)
        self._schedule = Schedule(self._timetable(), self._due, self._done, self._clock)
        self._stopping = threading.Event()
        self._chat_ready = self._chat is None
        self.web: Starlette = web_app(self._ready, self._bolt())

    def start(self) -> None:
        """Catch up on what was missed, then keep time."""
        if self._chat is not None:
            threading.Thread(target=self._greet, args=(self._chat,), name="refit-chat", daemon=True).start()
        self._schedule.start()

    def stop(self, seconds: float) -> bool:
        """Ask for nothing more and wait for what runs; True when it ended in time."""
        self._stopping.set()
        self._schedule.stop()
        begun = self._clock.monotonic()
        asked = self._asked.drain(seconds)
        return self._due.drain(max(0.0, seconds - (self._clock.monotonic() - begun))) and asked

    def close(self) -> None:
        """Give the store back; nothing may run any more."""
        self._store.close()

    def _ready(self) -> dict[str, bool]:
        return {"store": self._readable(), "schedule": self._schedule.running, "chat": self._chat_ready}

    def _readable(self) -> bool:
        try:
            self._store.cycles(limit=1)
        except RefitError as error:
            log.warning("not ready: %s", error.message)
            return False
        return True

    def _greet(self, chat: SlackChat) -> None:
        """Try the chat's token until it is taken; a chat that is down keeps the schedule from nothing."""
        while not self._chat_ready and not self._stopping.is_set():
            try:
                chat.check()
                self._chat_ready = True
            except ChatError as error:
                log.warning("chat is not ready: %s %s", error.message, error.hint)
                self._stopping.wait(_AGAIN_SECONDS)

    def _timetable(self) -> Timetable:
        schedule = self._settings.schedule
        crons = {
            Job.MONTHLY: schedule.monthly,
            Job.OBSERVE: schedule.observe,
            Job.QUARTERLY: schedule.quarterly,
        }
        return Timetable(crons, ZoneInfo(self._settings.timezone))

    @contextmanager
    def _parts(self, task: str) -> Iterator[Parts]:
        """Parts for one task; what people ask for drives no cycle, so it need not wait for one."""
        with open_parts(
            self._settings,
            LogProgress(),
            clock=self._clock,
            drive=task != _ON_REQUEST,
            engine=task in _NEEDS_ENGINE,
        ) as parts:
            yield parts

    def _done(self) -> set[str]:
        """Names of the periods that are done, from the store's ledger."""
        ledger = self._store.cycles(limit=_LEDGER)
        return {cycle.name for cycle in ledger if cycle.state is CycleState.DONE}

    def _bolt(self) -> App | None:
        section = self._settings.slack
        if section is None or self._slack is None or self._chat is None:
            return None
        commands = SlackCommands(
            chat=self._chat,
            access=SlackAccess(frozenset(section.users), frozenset(section.channels)),
            queue=self._asked,
            deliveries=Deliveries(self._clock),
            targets=self._targets,
            status=self._status,
            audit=self._audit,
        )
        secret = section.signing_secret.read("slack.signing_secret")
        return slack_app(self._slack, commands, signing_secret=secret)

    def _targets(self) -> tuple[str, ...]:
        """Names of all targets, configured or seen by the newest cycle, for "did you mean" in chat."""
        configured = {target.name for project in self._settings.projects for target in project.targets}
        return tuple(sorted(configured | set(known_targets(self._store))))

    def _status(self) -> str:
        cycles = self._store.cycles(limit=_SHOWN)
        lines = [f"{cycle.id}: {cycle.state}, begun {cycle.started:%Y-%m-%d %H:%M} UTC" for cycle in cycles]
        return "\n".join(lines) or "Nothing ran yet."

    def _audit(self, who: str, what: str, detail: str) -> None:
        log.info("%s: %s: %s", visible(who), what, visible(detail))
        self._store.audit(who, what, detail, self._clock.now())


def _slack(settings: Settings) -> WebClient | None:
    slack = settings.slack
    return client(slack.bot_token.read("slack.bot_token"), slack.url) if slack else None
