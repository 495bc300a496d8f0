"""What is asked for in a chat, carried out: each task ends in one answer in its thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol

from bot.cycle.known import known_uses
from bot.cycle.monthly import CycleRequest, run_cycle
from bot.cycle.offer import all_offers, offers_or_none, report_page
from bot.cycle.parts import Parts
from bot.cycle.plan import make_plan
from bot.cycle.rescan import all_targets, full_name, rescan, target_named
from bot.cycle.snoozes import concerns
from bot.errors import ChatError, RefitError, UsageError
from bot.model.answer import Answer
from bot.model.run import Problem, PublicationKind, PublicationState, Rescan
from bot.model.snooze import Snooze
from bot.model.target import Target
from bot.ports import Task
from bot.report import chat as answers
from bot.report.wording import seconds
from bot.triggers.chat import pulls
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.grammar import ALL, Word
from bot.triggers.chat.progress import ChatProgress

_NAMED: Final = 10
_BACK: Final = timedelta(days=100)
Value = Mapping[str, str]
# Answered from the store. An edit notifies nobody, so what takes its time ends in a message of its own.
_BRIEF: Final = frozenset({Word.REPORT, Word.SNOOZE})


class Permission(Protocol):
    """Whether a person may change what GitHub shows of a project."""

    def __call__(self, project: str, who: str) -> str:
        """Why not, in words; empty where they may."""
        ...


class Conversation:
    """Carries out what the desk took.

    Args:
        answers: Where answers go.
        may: Asked before anything is changed: a chat gives no power that GitHub would not.
    """

    def __init__(self, answers: Answers, may: Permission) -> None:
        self._answers, self._may = answers, may
        self.work: Mapping[str, Callable[[Parts, Value], Answer]] = {
            Word.RESCAN: self._rescan,
            Word.CHECK: self._check,
            Word.REPORT: self._report,
            Word.SNOOZE: self._snooze,
            Word.OPEN: self._open,
            "pull-rescan": pulls.rescan_pull,
            "pull-rebase": pulls.rebase_pull,
            "pull-recreate": pulls.recreate_pull,
            "pull-snooze": pulls.snooze_pull,
        }

    def __call__(self, parts: Parts, task: Task) -> None:
        """Carry out one task, with its progress in the thread, and answer it."""
        value, begun = task.value, parts.clock.monotonic()
        message = value.get("progress", "")
        progress = ChatProgress(self._answers.chat, value["thread"], message, parts.clock, parts.progress)
        try:
            answer = self.work[task.name](replace(parts, progress=progress), value)
        except Exception:
            progress.show(f"Failed after {seconds(parts.clock.monotonic() - begun)}.")
            raise
        # Before it is said: a store that fails here has it done again, and it is said once.
        parts.store.audit(value.get("who", ""), f"answered {task.name}", answer.headline, parts.clock.now())
        if task.name not in _BRIEF or not self._said_instead(value, answer):
            progress.show(f"Done in {seconds(parts.clock.monotonic() - begun)}.")
            self.say(value, answer)

    def _said_instead(self, value: Value, answer: Answer) -> bool:
        """Put the answer where its progress was told: what comes at once needs one message, not two."""
        if not value.get("progress"):
            return False
        try:
            self._answers.chat.edit(value["thread"], value["progress"], _for(value, answer))
        except ChatError:
            return False
        return True

    def stopped(self, value: Value) -> None:
        """Leave no progress that looks as if it went on."""
        if value.get("progress"):
            with suppress(ChatError):  # it costs that edit only
                self._answers.chat.edit(value["thread"], value["progress"], Answer("Stopped."))

    def say(self, value: Value, answer: Answer) -> None:
        """Answer in the thread of a task; a chat that is down takes it later."""
        if "thread" in value:
            self._answers.say(value["thread"], _for(value, answer))

    # -- the words ----------------------------------------------------------------------------

    def _rescan(self, parts: Parts, value: Value) -> Answer:
        if value["subject"] == ALL:
            return _rescan_all(parts)
        target = target_named(parts, value["subject"])
        if target is None:
            return answers.rescanned(rescan(parts, value["subject"]), (), value["subject"])
        found = rescan(parts, target, afresh=bool(value.get("afresh")))
        result = replace(found, subject=value["subject"])  # as it was asked for
        page = report_page(parts, target)
        return answers.rescanned(result, offers_or_none(parts, target), full_name(target), page)

    def _check(self, parts: Parts, value: Value) -> Answer:
        about, project = value.get("subject", ""), ""
        if about:
            target = _target(parts, about)
            about, project = target.name, target.project
        projects = tuple(one for one in parts.projects if project in ("", one.name))
        plan = make_plan(replace(parts, projects=projects))
        return answers.checked(plan, parts.store.snoozes(parts.clock.now()), about)

    def _report(self, parts: Parts, value: Value) -> Answer:
        del value
        return _sizes(parts)

    def _snooze(self, parts: Parts, value: Value) -> Answer:
        """Snooze an image in the project it was said in, else in every one that names it.

        This person must be allowed to write to all of them.
        """
        image, now = value["subject"], parts.clock.now()
        projects = _naming(parts, image, value.get("project", ""))
        self._demand(projects, value)
        until = now + timedelta(days=int(value["days"]))
        made = [Snooze(one, image, value["who"], value["reason"], now, until) for one in projects]
        for snooze in made:
            parts.store.save_snooze(snooze)
            detail = f"{snooze.project}: {image} until {until:%Y-%m-%d}: {snooze.reason}"
            parts.store.audit(snooze.who, "snooze", detail, now)
        return answers.snoozed(made)

    def _open(self, parts: Parts, value: Value) -> Answer:
        name, only = _place(parts, value["subject"])
        self._demand((name,), value)
        projects = tuple(one for one in parts.projects if one.name == name)
        request = CycleRequest(only=f"{name}#{only}")
        return answers.published(run_cycle(replace(parts, projects=projects), request).result)

    def _demand(self, projects: tuple[str, ...], value: Value) -> None:
        """Refuse where GitHub would.

        Raises:
            UsageError: This person may not write to one of the projects.
        """
        for project in projects:
            if why := self._may(project, value.get("who", "")):
                raise UsageError(f"I may not do that for you in {project}: {why}")


def _for(value: Value, answer: Answer) -> Answer:
    """The answer, for whoever asked."""
    return replace(answer, mention=value.get("mention", ""))


def _target(parts: Parts, name: str) -> Target:
    target = target_named(parts, name)
    if target is None:
        raise UsageError(f"there is no target {name!r}", hint="`check` lists what there is.")
    return target


def _place(parts: Parts, name: str) -> tuple[str, str]:
    """The project of what is to be opened, and the target, or the file that no target builds."""
    project, _, file = name.rpartition("#")
    if any((project, file) == (one, use.file) for one, use in known_uses(parts.store)):
        return project, file
    target = _target(parts, name)
    return target.project, target.name


def _rescan_all(parts: Parts) -> Answer:
    """Every target, one after the other; one that fails costs the others nothing."""
    targets, unread = all_targets(parts)
    results, problems = list[Rescan](), list(unread)
    for number, target in enumerate(targets, start=1):
        parts.progress.step(f"scan {number}/{len(targets)}: {full_name(target)}")
        try:
            results.append(rescan(parts, target))
        except RefitError as error:
            problems.append(Problem(full_name(target), error.message, error.hint))
    parts.progress.step("look for newer bases")
    return answers.rescanned_all(results, problems, all_offers(parts))


def _sizes(parts: Parts) -> Answer:
    """How large each target is that the default branch builds, and where its size report is."""
    now = parts.clock.now()
    points = parts.store.measurements(now - _BACK, now + timedelta(seconds=1))
    newest = {(one.project, one.target, one.platform): one for one in points if one.applied}
    known = {key: base for key in newest if (base := parts.store.baseline(*key)) is not None}
    issues = [one for one in parts.store.publications() if one.kind is PublicationKind.ISSUE]
    reports = [one.url for one in issues if "size-report" in one.slot and one.state is PublicationState.OPEN]
    return answers.sizes(tuple(newest.values()), known, reports[-1] if reports else "")


def _naming(parts: Parts, image: str, only: str) -> tuple[str, ...]:
    """The projects whose files name an image, by the newest plan; one of them, where `only` is not empty.

    Raises:
        UsageError: None does.
    """
    uses = [(project, use) for project, use in known_uses(parts.store) if only in ("", project)]
    projects = tuple(sorted({project for project, use in uses if concerns(image, project, use)}))
    if not projects:
        named = sorted({str(use.reference.with_digest(None)) for _, use in uses if use.reference})
        hint = f"Known are: {', '.join(named[:_NAMED])}." if named else "Run a cycle first."
        raise UsageError(f"no project names the image {image!r}", hint=hint)
    return projects
