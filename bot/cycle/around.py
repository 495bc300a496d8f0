"""What else is true when a quarter ends: open, held back, silenced, stuck. From the newest cycle's plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.cycle.audit import Sources, audit_project, ended_by
from bot.cycle.image_findings import last_known
from bot.cycle.parts import Parts
from bot.errors import RefitError
from bot.model.finding import Finding
from bot.model.published import Shipping
from bot.model.run import Decided, Plan, Problem, PublicationKind, PublicationState
from bot.model.target import Project
from bot.model.update import Abandoned, Failed, Skipped, Waiting, outcome_reason
from bot.report.size.values import Link, Surroundings

# How `bot.updates.choose` begins a reason that a rule, a snooze or a comment gave.
_SILENCED: Final = ("ignored", "snoozed")


def surroundings(parts: Parts, project: Project | None) -> Surroundings:
    """Everything the report says beside sizes, for one project or for all.

    Args:
        parts: The collaborators.
        project: Only this one, or None for the fleet.
    """
    updates, unshipped = _open(parts, project), _unshipped(parts, project)
    findings, unread = _audited(parts, project)
    plan = next((one for one in _plans(parts) if one.updates or one.decided), None)
    if plan is None:
        return Surroundings(updates=updates, unshipped=unshipped, audit=findings, failed=unread)
    decided = [one for one in plan.decided if project is None or one.project == project.name]
    silenced = [one for one in decided if _is_silenced(one)]
    others = [one for one in decided if one not in silenced]
    return Surroundings(
        updates=updates,
        waiting=_said(one for one in others if isinstance(one.outcome, Waiting)),
        ignored=_said(silenced),
        abandoned=_said(one for one in others if isinstance(one.outcome, Abandoned)),
        unshipped=unshipped,
        failed=(*_failed(others, plan.problems), *unread),
        audit=findings,
        targets=_targets(plan, parts),
    )


def _audited(parts: Parts, project: Project | None) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The guide's findings in each project's files and images, and what could not be audited, in words."""
    ended = ended_by(parts.clock.now().astimezone(parts.policy.zone).date())
    findings: list[Finding] = []
    unread: list[str] = []
    for one in parts.projects if project is None else (project,):
        try:
            sources = Sources(parts.forge(one).checkout(one), ended)
            made = audit_project(sources, one.targets)
        except RefitError as error:
            unread.append(f"audit of {one.name}: {error.message}")
            continue
        found = (*made.findings, *last_known(one, parts))
        findings += found if project else (_named(one, finding) for finding in found)
        unread += [f"audit of {problem.subject}: {problem.error}" for problem in made.problems]
    return tuple(findings), tuple(unread)


def _named(project: Project, finding: Finding) -> Finding:
    """Where several projects are told of, a file is one of a project."""
    return replace(finding, subject=f"{project.name}/{finding.subject}")


def bases_made(parts: Parts) -> dict[str, datetime]:
    """When base images (with digest) say they were made, as far as the newest plans know."""
    made: dict[str, datetime] = {}
    for planned in (one for plan in _plans(parts) for one in plan.updates):
        for pair in planned.bases:
            sides = ((planned.use.reference, pair.before), (planned.update.to, pair.after))
            made |= {str(name): image.created for name, image in sides if image and image.created}
    return made


def _plans(parts: Parts) -> Iterator[Plan]:
    """Plans of the newest cycles, newest first."""
    plans = (parts.store.plan(cycle) for cycle in parts.store.planned())
    return (plan for plan in plans if plan is not None)


def _unshipped(parts: Parts, project: Project | None) -> tuple[str, ...]:
    known = parts.store.published(project.name if project else None)
    return tuple(f"{one.target}: {one.reason}" for one in known if one.state is Shipping.NOT_SHIPPED)


def _open(parts: Parts, project: Project | None) -> tuple[Link, ...]:
    """Pull requests that are open as far as we know, each with the image its slot names."""
    known = parts.store.publications(project.name if project else None)
    return tuple(
        Link(one.slot.split("|")[1] if "|" in one.slot else one.slot, one.url)
        for one in known
        if one.kind is PublicationKind.PULL_REQUEST and one.state is PublicationState.OPEN
    )


def _is_silenced(one: Decided) -> bool:
    reason = outcome_reason(one.outcome) or ""
    return isinstance(one.outcome, Skipped | Waiting) and reason.startswith(_SILENCED)


def _said(decided: Iterable[Decided]) -> tuple[str, ...]:
    return tuple(_line(one, outcome_reason(one.outcome) or "") for one in decided)


def _failed(decided: Iterable[Decided], problems: Iterable[Problem]) -> tuple[str, ...]:
    lines = [_line(one, one.outcome.error) for one in decided if isinstance(one.outcome, Failed)]
    return (*lines, *(f"{one.subject}: {one.error}" for one in problems))


def _line(one: Decided, reason: str) -> str:
    return f"{one.use.text.partition('@')[0]} in {one.use.file}: {reason}"


def _targets(plan: Plan, parts: Parts) -> frozenset[tuple[str, str]] | None:
    """Every target there is now; None where a project could not be read: then nothing is known to be gone."""
    names = {project.name for project in parts.projects}
    if any(problem.subject in names for problem in plan.problems):
        return None
    seen = {(one.project.name, one.target.name) for one in plan.updates if one.target}
    seen |= {(one.project, one.target) for one in plan.decided if one.target}
    configured = {(one.name, target.name) for one in parts.projects for target in one.targets}
    return frozenset(seen | configured)
