"""The monthly cycle, end to end. It reconciles: what is finished is found again, what is missing is done.

discover → resolve → plan → prove → publish → report. `kill -9` anywhere costs at most the work
in flight: the plan is stored when made, evidence under the key of what went in, a publication
under its slot once the forge confirmed it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.cycle import open_networks
from bot.cycle.driven import Shown
from bot.cycle.grouping import Group, grouped
from bot.cycle.order import chosen_for_build
from bot.cycle.parts import Parts
from bot.cycle.plan import make_plan
from bot.cycle.project import carry_out, finish, prepare
from bot.cycle.standing import Seen
from bot.cycle.tally import Run, Tally
from bot.cycle.workspace import sweep
from bot.model import marker
from bot.model.draft import Draft
from bot.model.run import Cycle, CycleState, Plan, Proved, RunResult
from bot.model.target import Project
from bot.report import wire

DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished cycle, and what a dry run would have written."""

    result: RunResult
    drafts: tuple[Draft, ...] = ()


def cycle_name(now: datetime, zone: ZoneInfo, name: str | None = None) -> str:
    """A cycle's name: the given one, or that of the current month in a zone: `monthly-2026-11`."""
    return name or f"monthly-{now.astimezone(zone):%Y-%m}"


def full_name(name: str, *, only: str | None = None, evidence_only: bool = False) -> str:
    """The name of a run that leaves something out: it is a cycle of its own, `monthly-2026-11-only-shop`."""
    if only is not None:
        name = f"{name}-only-{marker.slug(only)}"
    return f"{name}-evidence" if evidence_only else name


def run_cycle(  # noqa: PLR0913 - the options of a run, all by keyword
    parts: Parts,
    name: str | None = None,
    *,
    only: str | None = None,
    dry_run: bool = False,
    evidence_only: bool = False,
    told: Callable[[RunResult], None] = lambda _: None,
) -> Outcome:
    """Run a cycle to its end, or go on with an unfinished one of the same name.

    Args:
        parts: The collaborators.
        name: Name of the cycle; the current month's by default.
        only: A target, a file, or the slot of a pull request; everything else is left out. Such a run
            is a cycle of its own.
        dry_run: Prove, but write to no forge and record no cycle.
        evidence_only: Attach evidence to pull requests that others opened, and open none.
        told: Called with the result before the cycle is marked as done: who is killed in between is called
            again, with what the resumed cycle finds.

    Raises:
        StoreError: The store cannot be used; every other failure is a value in the result.
    """
    clock = parts.clock.monotonic()
    name = cycle_name(parts.clock.now(), parts.policy.zone, name)
    name = full_name(name, only=only, evidence_only=evidence_only)
    cycle = _begin(parts, name, dry_run=dry_run)
    if not dry_run:
        parts = replace(parts, progress=Shown(parts, cycle))
    plan = _plan(parts, cycle, dry_run=dry_run)
    tally = Tally(decided=list(plan.decided), problems=list(plan.problems))
    groups = [
        group for group in grouped(plan.updates, parts.policy.rules) if only is None or _concerns(group, only)
    ]
    chosen = chosen_for_build([one for group in groups for one in group.members], parts)
    run = Run(parts, cycle, tally, dry=dry_run, evidence_only=evidence_only, chosen=chosen)
    for project, its_groups, seen in _prepared(groups, run):
        carry_out(seen, run)
        if only is None:
            finish(project, its_groups, run)
    parts.progress.step("report")
    result = _result(parts, cycle, plan, tally, parts.clock.monotonic() - clock, dry_run=dry_run)
    if not dry_run:
        told(result)
        parts.store.finish(cycle, json.dumps(wire.run(result)), parts.clock.now(), result)
    sweep(parts)
    return Outcome(result, tuple(tally.drafts))


def _begin(parts: Parts, name: str, *, dry_run: bool) -> Cycle:
    if dry_run:
        return Cycle(f"{name}-{DRY_RUN}", name, 1, CycleState.RUNNING, parts.clock.now())
    cycle = parts.store.begin(name, parts.clock.now())
    sweep(parts)
    return cycle


def _plan(parts: Parts, cycle: Cycle, *, dry_run: bool) -> Plan:
    """The stored plan of a resumed cycle, else a new one, stored before anything is done."""
    if not dry_run and (stored := parts.store.plan(cycle)) is not None:
        parts.progress.step(f"go on with {cycle.id}")
        return stored
    plan = make_plan(parts)
    if not dry_run:
        parts.store.save_plan(cycle, plan)
    return plan


def _concerns(group: Group, only: str) -> bool:
    return only == group.slot or any(only in (planned.subject, planned.use.file) for planned in group.members)


def _prepared(groups: Sequence[Group], run: Run) -> Iterable[tuple[Project, list[Group], list[Seen]]]:
    """Each project's groups, and which of them to go on with.

    One machine looks at a project when its turn comes; many are told of all the work first.
    """
    prepared = (
        (one, its_groups, prepare(one, its_groups, run)) for one, its_groups in _by_project(run.parts, groups)
    )
    if run.parts.crew is None or run.dry:
        return prepared
    told = list(prepared)
    wanted = [planned for _, _, seen in told for one in seen for planned in one.group.members]
    run.parts.crew.announce(run.cycle, wanted, run.may_build)
    return told


def _by_project(parts: Parts, groups: Sequence[Group]) -> Iterable[tuple[Project, list[Group]]]:
    for project in parts.projects:
        yield project, [group for group in groups if group.project.name == project.name]


def _no_engine(parts: Parts) -> tuple[str, ...]:
    return () if parts.builder or parts.crew else (f"level base only: {parts.no_builder}",)


def _open_networks(updates: Sequence[Proved]) -> tuple[str, ...]:
    every = [evidence for proved in updates for evidence in proved.evidence]
    sides = [side for evidence in every for side in (evidence.before, evidence.after) if side]
    return open_networks.notes(side.build for side in sides)


def _result(  # noqa: PLR0913 - a value's fields
    parts: Parts, cycle: Cycle, plan: Plan, tally: Tally, seconds: float, *, dry_run: bool
) -> RunResult:
    return RunResult(
        cycle=cycle,
        updates=tuple(tally.updates),
        decided=tuple(tally.decided),
        problems=tuple(tally.problems),
        requests=plan.requests,
        seconds=seconds,
        quota=dict(parts.registry.quota()),
        dry_run=dry_run,
        notes=(*_no_engine(parts), *_open_networks(tally.updates), *tally.notes),
        issues=tuple(tally.issues),
        published=plan.published,
    )
