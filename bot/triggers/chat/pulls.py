"""What is asked for on a pull request of ours, carried out on the commit that it had when it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.cycle.grouping import grouped, image_of
from bot.cycle.known import newest_plan
from bot.cycle.monthly import CycleRequest, run_cycle
from bot.cycle.parts import Parts
from bot.cycle.rescan import rescan
from bot.errors import UsageError
from bot.model import marker
from bot.model.answer import Answer
from bot.model.run import Planned, Publication
from bot.model.snooze import Snooze
from bot.model.target import Project
from bot.report import chat as answers
from bot.report.quote import quote

Value = Mapping[str, str]
_NOT_MINE: Final = "this pull request is not mine"


def rescan_pull(parts: Parts, value: Value) -> Answer:
    """Build and scan what the pull request builds, at the commit it had; nothing that was pushed since."""
    project = _project(parts, value)
    names = _targets(parts, value)
    results = [
        rescan(_only(parts, project), f"{project.name}#{name}", commit=value["commit"]) for name in names
    ]
    answer = answers.rescanned(results[0], (), names[0]) if len(results) == 1 else None
    return replace(answer or answers.rescanned_all(results, ()), buttons=())


def rebase_pull(parts: Parts, value: Value) -> Answer:
    """Prove it again on the newest commit of its base branch, and bring the pull request up to date."""
    project = _project(parts, value)
    _unmoved(parts, project, value)
    return answers.published(run_cycle(_only(parts, project), CycleRequest(only=value["slot"])).result)


def recreate_pull(parts: Parts, value: Value) -> Answer:
    """Close it, and make it anew; also where a person closed it."""
    project = _project(parts, value)
    existing = _unmoved(parts, project, value)
    who = quote(value["mention"])
    parts.forge(project).close(project, existing, f"Made anew, as {who} asked.")
    return answers.published(run_cycle(_only(parts, project), CycleRequest(only=value["slot"])).result)


def snooze_pull(parts: Parts, value: Value) -> Answer:
    """Close it, and hold its images' updates back in this project until the snooze ends."""
    project, now = _project(parts, value), parts.clock.now()
    existing = _unmoved(parts, project, value)
    until, reason = now + timedelta(days=int(value["days"])), value["reason"]
    images = _images(parts, value)
    made = [Snooze(project.name, image, value["who"], reason, now, until) for image in images]
    for snooze in made:
        parts.store.save_snooze(snooze)
    why = f"Snoozed until {until:%Y-%m-%d} by {quote(value['mention'])}: {quote(reason)}"
    parts.store.save_publication(parts.forge(project).close(project, existing, why))
    return answers.snoozed(made)


def _project(parts: Parts, value: Value) -> Project:
    return next(one for one in parts.projects if one.name == value["project"])


def _only(parts: Parts, project: Project) -> Parts:
    return replace(parts, projects=(project,))


def _unmoved(parts: Parts, project: Project, value: Value) -> Publication:
    """The pull request, where nobody pushed to it since the comment.

    Raises:
        UsageError: It is not ours, or its head is another one.
    """
    slot = value.get("slot", "")
    found = parts.forge(project).find(project, slot, value["branch"]) if slot else None
    if found is None:
        raise UsageError(_NOT_MINE, hint="`/refit rescan TARGET` scans what any pull request builds.")
    if found.commit not in ("", value["commit"]):
        raise UsageError("somebody pushed to it since you asked", hint="Look at it, and ask again.")
    return found


def _images(parts: Parts, value: Value) -> list[str]:
    """The images that are to be silent: the one that was named, else all that the pull request moves.

    Raises:
        UsageError: It moves several, and the plan that it came from is gone.
    """
    about = value["subject"]
    if about != marker.about(value["slot"]):
        return [about]
    of_group = sorted({image_of(one) for one in _members(parts, value)})
    if not of_group and ":" not in about:
        hint = "Name an image: `/refit snooze nginx:1.29 14d reason`."
        raise UsageError("the plan of this pull request is gone", hint=hint)
    return of_group or [about]


def _members(parts: Parts, value: Value) -> list[Planned]:
    """The updates of the pull request, by the plan it came from; none where that is gone."""
    plan = newest_plan(parts.store)
    groups = grouped(plan.updates, parts.policy.rules) if plan and value["slot"] else ()
    return [one for group in groups if group.slot == value["slot"] for one in group.members]


def _targets(parts: Parts, value: Value) -> list[str]:
    """What the pull request builds: by the plan it came from, else the one target that was named."""
    names = {one.target.name for one in _members(parts, value) if one.target is not None}
    if not names and any(mark in value["subject"] for mark in ":/@"):
        hint = "Name the target: `/refit rescan backend`."
        raise UsageError(f"{_NOT_MINE}, or its plan is gone", hint=hint)
    return sorted(names) or [value["subject"].rpartition("#")[2]]
