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
from typing import Final
from zoneinfo import ZoneInfo

from bot.cycle import about_builds
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


def monthly_name(now: datetime, zone: ZoneInfo) -> str:
    """The name of the current month's cycle in a zone: `monthly-2026-11`."""
    return f"monthly-{now.astimezone(zone):%Y-%m}"


@dataclass(frozen=True, slots=True)
class CycleRequest:
    """What is asked of a run.

    Attributes:
        name: Name of the cycle; None is the current month's.
        only: A target, a file, either behind its project's name (`acme/shop#backend`), or the slot of a pull
            request; everything else is left out.
        dry_run: Prove, but write to no forge and record no cycle.
        evidence_only: Attach evidence to pull requests that others opened, and open none.
    """

    name: str | None = None
    only: str | None = None
    dry_run: bool = False
    evidence_only: bool = False

    def cycle_name(self, now: datetime, zone: ZoneInfo) -> str:
        """A run that leaves something out is a cycle of its own: `monthly-2026-11-only-shop`."""
        name = self.name or monthly_name(now, zone)
        if self.only is not None:
            name = f"{name}-only-{marker.file_name(self.only)}"
        return f"{name}-evidence" if self.evidence_only else name


EVERYTHING: Final = CycleRequest()


def run_cycle(
    parts: Parts,
    request: CycleRequest = EVERYTHING,
    *,
    told: Callable[[RunResult], None] = lambda _: None,
) -> Outcome:
    """Run a cycle to its end, or go on with an unfinished one of the same name.

    Args:
        parts: The collaborators.
        request: What is asked for; by default the current month's cycle.
        told: Called with the result before the cycle is marked as done: who is killed in between is called
            again, with what the resumed cycle finds.

    Raises:
        StoreError: The store cannot be used; every other failure is a value in the result.
    """
    begun = parts.clock.monotonic()
    cycle = _begin(parts, request)
    if not request.dry_run:
        parts = replace(parts, progress=Shown(parts, cycle))
    plan = _plan(parts, cycle, request)
    groups = _groups(parts, plan, request.only)
    run = _run(parts, cycle, plan, groups, request)
    for project, its_groups, seen in _prepared(groups, run):
        carry_out(seen, run)
        if request.only is None:
            finish(project, its_groups, run)
    parts.progress.step("report")
    result = _result(run, plan, parts.clock.monotonic() - begun)
    if not request.dry_run:
        told(result)
        parts.store.finish(cycle, json.dumps(wire.run(result)), parts.clock.now(), result)
    sweep(parts)
    return Outcome(result, tuple(run.tally.drafts))


def _begin(parts: Parts, request: CycleRequest) -> Cycle:
    now = parts.clock.now()
    name = request.cycle_name(now, parts.policy.zone)
    if request.dry_run:
        return Cycle(f"{name}-{DRY_RUN}", name, 1, CycleState.RUNNING, now)
    cycle = parts.store.begin(name, now)
    sweep(parts)
    return cycle


def _plan(parts: Parts, cycle: Cycle, request: CycleRequest) -> Plan:
    """The stored plan of a resumed cycle, else a new one, stored before anything is done."""
    if request.dry_run:
        return make_plan(parts)
    if (stored := parts.store.plan(cycle)) is not None:
        parts.progress.step(f"go on with {cycle.id}")
        return stored
    plan = make_plan(parts)
    parts.store.save_plan(cycle, plan)
    return plan


def _groups(parts: Parts, plan: Plan, only: str | None) -> list[Group]:
    groups = grouped(plan.updates, parts.policy.rules)
    return [group for group in groups if only is None or _concerns(group, only)]


def _run(parts: Parts, cycle: Cycle, plan: Plan, groups: Sequence[Group], request: CycleRequest) -> Run:
    return Run(
        parts,
        cycle,
        Tally(decided=list(plan.decided), problems=list(plan.problems)),
        dry=request.dry_run,
        evidence_only=request.evidence_only,
        chosen=chosen_for_build([one for group in groups for one in group.members], parts),
    )


def _concerns(group: Group, only: str) -> bool:
    own = {name for planned in group.members for name in (planned.subject, planned.use.file)}
    return only in own | {f"{group.project.name}#{name}" for name in own} | {group.slot}


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


def _about_builds(updates: Sequence[Proved]) -> tuple[str, ...]:
    every = [evidence for proved in updates for evidence in proved.evidence]
    sides = [side for evidence in every for side in (evidence.before, evidence.after) if side]
    return about_builds.notes(side.build for side in sides)


def _result(run: Run, plan: Plan, seconds: float) -> RunResult:
    parts, tally = run.parts, run.tally
    return RunResult(
        cycle=run.cycle,
        updates=tuple(tally.updates),
        decided=tuple(tally.decided),
        problems=tuple(tally.problems),
        requests=plan.requests,
        seconds=seconds,
        quota=dict(parts.registry.quota()),
        dry_run=run.dry,
        notes=(*_no_engine(parts), *_about_builds(tally.updates), *tally.notes),
        issues=tuple(tally.issues),
        published=plan.published,
    )
