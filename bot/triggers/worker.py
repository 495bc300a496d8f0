"""The worker: carries out tasks of the queues. Each is a name and a small JSON value."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from bot.cycle.cleanup import clean
from bot.cycle.crew import PROVE, PUBLISH, WRITE
from bot.cycle.hands import prove_job, publish_job, write_job
from bot.cycle.monthly import CycleRequest, run_cycle
from bot.cycle.observe import observe
from bot.cycle.parts import Parts
from bot.cycle.quarterly import publish_reports
from bot.cycle.sboms import rescan_sboms
from bot.cycle.told import mark_told
from bot.cycle.workspace import sweep
from bot.errors import NoWorker, RefitError, StoreError
from bot.model.answer import Answer
from bot.model.run import CycleState, Problem, RunResult
from bot.model.sboms import Audience
from bot.ports import Task
from bot.report.sboms import news
from bot.triggers.chat.conversation import Conversation
from bot.triggers.chat.desk import failed
from bot.triggers.exposure import keep_exposure
from bot.triggers.notify import News

log: Final = logging.getLogger(__name__)
OpenParts = Callable[[str], AbstractContextManager[Parts]]


class Worker:
    """Carries out tasks, with parts opened for each: a day-old connection is no connection.

    Args:
        open_parts: Opens what a task of this name works with, for as long as it runs.
        talk: Carries out and answers what people ask for; None where nobody asks.
        also: Other tasks, by name.
        news: Told what people want to know unasked.
        named: Marks what is logged meanwhile with the task's name.
    """

    def __init__(
        self,
        open_parts: OpenParts,
        talk: Conversation | None = None,
        also: Mapping[str, Callable[[Parts, Task], None]] | None = None,
        news: News | None = None,
        named: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self._open, self._talk, self._also, self._news = open_parts, talk, also or {}, news or News()
        self._named = named
        self._work: Mapping[str, Callable[[Parts, Mapping[str, str]], None]] = {
            "monthly": self._monthly,
            "observe": self._observe,
            "sboms": self._sboms,
            "quarterly": self._quarterly,
            "cleanup": _cleanup,
            PROVE: prove_job,
            PUBLISH: publish_job,
            WRITE: write_job,
        }

    def __call__(self, task: Task) -> None:
        """Carry out a task; a failure is logged and, where somebody waits, answered.

        What is raised, nobody was told yet: the queue knows whether it is done again, or `undone`.

        Raises:
            StoreError: The store cannot be used, or another process drives it: to be done again later.
            KeyboardInterrupt: The process is stopping.
        """
        try:
            with self._named(_what(task)), self._open(task.name) as parts:
                if self._talk is not None and task.name in self._talk.work:
                    self._talk(parts, task)
                elif task.name in self._also:
                    self._also[task.name](parts, task)
                elif not _done(parts, task.value.get("period")):
                    self._work[task.name](parts, task.value)
                    self._news.worked(task)
        except RefitError as error:
            log.error("%s: %s %s", _what(task), error.message, error.hint)  # noqa: TRY400 - expected: no traceback
            if isinstance(error, StoreError) and not isinstance(error, NoWorker):
                raise
            self._failed(task, error)
        except Exception as error:
            log.exception("%s: a bug in Refit", _what(task))
            self._news.failed(task, error)
            self._say(task.value, Answer("That failed because of a bug in Refit; its log says where."))

    def undone(self, task: Task, why: BaseException | None) -> None:
        """Tell whoever waits that a task was not done, and is not done again by itself.

        Args:
            task: Which.
            why: What ended it; None where it was not begun.
        """
        if isinstance(why, RefitError):
            self._failed(task, why)
            return
        when = "before this began" if why is None else "in the middle of this"
        if self._talk is not None:
            self._talk.stopped(task.value)
        self._say(task.value, Answer(f"I was stopped {when}: please ask again."))

    def _failed(self, task: Task, error: RefitError) -> None:
        self._say(task.value, failed(error))
        self._news.failed(task, error)

    def _monthly(self, parts: Parts, value: Mapping[str, str]) -> None:
        _tell(run_cycle(parts, CycleRequest(value["period"]), told=self._news.cycle).result)

    def _observe(self, parts: Parts, value: Mapping[str, str]) -> None:
        cycle = parts.store.begin(value["period"], parts.clock.now())
        seen = observe(parts)
        counts = {"asked": seen.asked, "new": seen.new, "failed": len(seen.problems)}
        parts.store.finish(cycle, json.dumps(counts), parts.clock.now())
        _tell_problems(cycle.id, seen.problems)
        log.info("%s: %d asked, %d new, %d failed", cycle.id, *counts.values())

    def _quarterly(self, parts: Parts, value: Mapping[str, str]) -> None:
        """A report that a forge did not take leaves the period undone: the schedule asks for it again."""
        cycle = parts.store.begin(value["period"], parts.clock.now())
        reports = publish_reports(parts, value["period"].removeprefix("quarterly-"))
        urls = [publication.url for publication in reports.published]
        _tell_problems(cycle.id, reports.problems)
        log.info("%s: %s", cycle.id, ", ".join(urls) or "no report")
        if not reports.problems:
            parts.store.finish(cycle, json.dumps({"urls": urls}), parts.clock.now())

    def _sboms(self, parts: Parts, value: Mapping[str, str]) -> None:
        """What became known since yesterday about what runs, from SBOMs alone.

        It is told, then marked as told, then done: whoever is killed in between goes on from there.
        """
        cycle = parts.store.begin(value["period"], parts.clock.now())
        found = rescan_sboms(parts, Audience.SERVICE)
        counts = {"rescanned": len(found.rescanned), "new": len(found.new), "failed": len(found.problems)}
        _tell_problems(cycle.id, found.problems)
        for line in news(found).splitlines():
            log.warning("%s: %s", cycle.id, line)
        log.info("%s: %d rescanned, %d new, %d failed", cycle.id, *counts.values())
        self._news.sboms(found)
        mark_told(found, Audience.SERVICE, parts.store, parts.clock.now())
        keep_exposure(found, parts.store, parts.clock.now())
        parts.store.finish(cycle, json.dumps(counts), parts.clock.now())

    def _say(self, value: Mapping[str, str], answer: Answer) -> None:
        if self._talk is not None:
            self._talk.say(value, answer)


def _cleanup(parts: Parts, value: Mapping[str, str]) -> None:
    """Let go of what has had its time, in the store and on this machine."""
    cycle = parts.store.begin(value["period"], parts.clock.now())
    sweep(parts)
    parts.store.forget_receipts(parts.clock.now() - parts.policy.retention.evidence)
    cleaned = clean(parts)
    rows = sum(cleaned.expired.values()) + cleaned.sboms
    counts = {"rows": rows, "artifacts": cleaned.artifacts, "bytes": cleaned.bytes}
    parts.store.finish(cycle, json.dumps(counts), parts.clock.now())
    _tell_problems(cycle.id, cleaned.problems)
    log.info("%s: removed %d rows, %d artifacts, %d bytes", cycle.id, *counts.values())


def _done(parts: Parts, period: str | None) -> bool:
    """True where a period was finished meanwhile, by whoever: it is not run a second time."""
    if period is None:
        return False
    return any(cycle.state is CycleState.DONE for cycle in parts.store.cycles(period))


def _what(task: Task) -> str:
    value = task.value
    about = value.get("subject") or value.get("project", "nothing")
    return value.get("period") or value.get("cycle") or f"{task.name} of {about}"


def _tell(result: RunResult) -> None:
    """A finished cycle, in lines of the log."""
    for update in result.updates:
        url = update.publication.url if update.publication else update.publication_note
        log.info("%s: %s: %s %s", result.cycle.id, update.planned.subject, update.verdict.state, url)
    _tell_problems(result.cycle.id, result.problems)
    counts = len(result.updates), len(result.decided), len(result.problems)
    log.info("%s: done: %d updates, %d other uses, %d failed", result.cycle.id, *counts)


def _tell_problems(cycle: str, problems: Sequence[Problem]) -> None:
    for problem in problems:
        log.error("%s: %s: %s %s", cycle, problem.subject, problem.error, problem.hint)
