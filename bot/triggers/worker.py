"""The worker: carries out tasks of the queue. Each is a name and a small JSON value."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final

from bot.cycle.monthly import run_cycle
from bot.cycle.observe import observe
from bot.cycle.parts import Parts
from bot.cycle.quarterly import publish_reports
from bot.cycle.rescan import rescan, summary
from bot.errors import ChatError, RefitError
from bot.ports import Chat, Task

log: Final = logging.getLogger(__name__)
OpenParts = Callable[[], AbstractContextManager[Parts]]


class Worker:
    """Carries out tasks, one at a time, with parts opened for each: a day-old connection is no connection.

    Args:
        open_parts: Opens the collaborators and holds the lease while they are in use.
        chats: Where answers go, by the chat's name.
    """

    def __init__(self, open_parts: OpenParts, chat: Chat | None = None) -> None:
        self._open, self._chat = open_parts, chat
        self._work: Mapping[str, Callable[[Parts, Mapping[str, str]], None]] = {
            "monthly": self._monthly,
            "observe": self._observe,
            "quarterly": self._quarterly,
            "rescan": self._rescan,
        }

    def __call__(self, task: Task) -> None:
        """Carry out a task; a failure is logged and, where somebody waits, answered."""
        try:
            with self._open() as parts:
                self._work[task.name](parts, task.value)
        except RefitError as error:
            log.error("%s %s: %s", task.name, dict(task.value), error.message)  # noqa: TRY400 - expected: no traceback
            self._say(task.value, f"That failed: {error.message} {error.hint}".strip())

    def _monthly(self, parts: Parts, value: Mapping[str, str]) -> None:
        result = run_cycle(parts, value["period"]).result
        log.info("%s: %d updates, %d failed", result.cycle.id, len(result.updates), len(result.problems))

    def _observe(self, parts: Parts, value: Mapping[str, str]) -> None:
        cycle = parts.store.begin(value["period"], parts.clock.now())
        seen = observe(parts)
        summary_ = {"asked": seen.asked, "new": seen.new, "failed": len(seen.problems)}
        parts.store.finish(cycle, json.dumps(summary_), parts.clock.now())
        log.info("%s: %s", value["period"], summary_)

    def _quarterly(self, parts: Parts, value: Mapping[str, str]) -> None:
        cycle = parts.store.begin(value["period"], parts.clock.now())
        published = publish_reports(parts, value["period"].removeprefix("quarterly-"))
        urls = [publication.url for publication in published]
        parts.store.finish(cycle, json.dumps({"urls": urls}), parts.clock.now())
        log.info("%s: %s", value["period"], ", ".join(urls) or "nothing to report on")

    def _rescan(self, parts: Parts, value: Mapping[str, str]) -> None:
        self._say(value, summary(rescan(parts, value["subject"])))

    def _say(self, value: Mapping[str, str], text: str) -> None:
        if self._chat is None or "thread" not in value:
            return
        try:
            self._chat.say(value["thread"], text)
        except ChatError as error:
            log.error("the answer was not delivered: %s", error.message)  # noqa: TRY400 - expected
