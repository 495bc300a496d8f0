"""The monthly cycle, end to end. It reconciles: what is finished is found again, what is missing is done.

discover → resolve → plan → prove → publish → report. `kill -9` anywhere costs at most the work
in flight: the plan is stored when made, evidence under the key of what went in, a publication
under its slot once the forge confirmed it.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.cycle.baselines import record
from bot.cycle.grouping import Group, grouped
from bot.cycle.inventory import record_sboms
from bot.cycle.parts import Parts
from bot.cycle.plan import make_plan
from bot.cycle.prove import prove
from bot.cycle.publish import Standing, compose, publish, standing
from bot.cycle.verdict import judge
from bot.cycle.workspace import sweep
from bot.errors import BranchTaken, RefitError
from bot.model import marker
from bot.model.evidence import VerdictState
from bot.model.run import (
    Cycle,
    CycleState,
    Decided,
    Plan,
    Planned,
    Problem,
    Proved,
    Publication,
    PullRequest,
    RunResult,
)
from bot.model.update import Waiting
from bot.ports import Checkout
from bot.report import wire

DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a dry run would have written: the pull request, and its files as they are."""

    pull_request: PullRequest
    before: Mapping[str, bytes]


@dataclass(slots=True)
class _Tally:
    """What a run has done so far; one thread folds results in."""

    updates: list[Proved] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    opened: dict[str, int] = field(default_factory=dict)
    built: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished cycle, and what a dry run would have written."""

    result: RunResult
    drafts: tuple[Draft, ...] = ()


def cycle_name(parts: Parts) -> str:
    """The name of the current monthly cycle in the configured zone: `monthly-2026-11`."""
    return f"monthly-{parts.clock.now().astimezone(parts.policy.zone):%Y-%m}"


def run_cycle(
    parts: Parts, name: str | None = None, *, only: str | None = None, dry_run: bool = False
) -> Outcome:
    """Run a cycle to its end, or go on with an unfinished one of the same name.

    Args:
        parts: The collaborators.
        name: Name of the cycle; the current month's by default.
        only: A target or file; everything else is left out. Such a run is a cycle of its own.
        dry_run: Prove, but write to no forge and record no cycle.

    Raises:
        StoreError: The store cannot be used; every other failure is a value in the result.
    """
    clock = parts.clock.monotonic()
    name = name or cycle_name(parts)
    if only is not None:
        name = f"{name}-only-{marker.slug(only)}"
    cycle = _begin(parts, name, dry_run=dry_run)
    plan = _plan(parts, cycle, dry_run=dry_run)
    tally = _Tally(decided=list(plan.decided), problems=list(plan.problems))
    groups = [
        group for group in grouped(plan.updates, parts.policy.rules) if only is None or _concerns(group, only)
    ]
    for number, group in enumerate(groups, start=1):
        parts.progress.step(f"prove {number}/{len(groups)}: {group.image} in {group.project.name}")
        _guarded(tally, group, partial(_carry_out, group, tally, parts, cycle, dry_run=dry_run))
    parts.progress.step("report")
    result = _result(parts, cycle, plan, tally, parts.clock.monotonic() - clock, dry_run=dry_run)
    if not dry_run:
        parts.store.finish(cycle, json.dumps(wire.run(result)), parts.clock.now())
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
    return any(only in (planned.subject, planned.use.file) for planned in group.members)


def _guarded(tally: _Tally, group: Group, work: Callable[[], None]) -> None:
    """One group's failure becomes a value; the others go on."""
    subject = ", ".join(sorted({planned.subject for planned in group.members}))
    try:
        work()
    except RefitError as error:
        tally.problems.append(Problem(subject, error.message, error.hint))
    except Exception as error:  # noqa: BLE001 - a bug in one target's way must not cost the others theirs
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"a bug in Refit: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        tally.problems.append(Problem(subject, what, "Please report it with the output of this run."))


def _carry_out(group: Group, tally: _Tally, parts: Parts, cycle: Cycle, *, dry_run: bool) -> None:
    """Bring one group from plan to pull request, as far as people and limits allow."""
    forge = parts.forge(group.project)
    existing = forge.find(group.project, group.slot, group.branch)
    reason = _held_back(group, tally, parts, existing)
    if reason:
        tally.decided += [_waiting(planned, reason) for planned in group.members]
        return
    checkout = forge.checkout(group.project, group.members[0].commit)
    proved = [_prove_one(planned, checkout, tally, parts, cycle) for planned in group.members]
    if _waived_for_nothing(proved):
        reason = "minimum age: waived only for what fixes vulnerabilities, and this fixes none"
        tally.decided += [_waiting(planned, reason) for planned in group.members]
        return
    if dry_run:
        wanted = compose(group, proved, checkout, parts)
        tally.drafts.append(Draft(wanted, {path: checkout.read(path) for path in wanted.files}))
        tally.updates += proved
        return
    _publish(group, proved, checkout, tally, parts, existing)


def _held_back(group: Group, tally: _Tally, parts: Parts, existing: Publication | None) -> str:
    """Why nothing is done for this group now, in words; empty where it goes on."""
    match standing(group, existing):
        case Standing.CLOSED:
            return "its pull request was closed; silent until the next digest"
        case Standing.OPEN:
            return ""
        case Standing.NEW:
            opened = tally.opened.get(group.project.name, 0)
            if opened >= parts.policy.max_new_per_project:
                return f"this project got {opened} new pull requests in this cycle, its limit"
            return ""


def _waived_for_nothing(proved: Sequence[Proved]) -> bool:
    """Tell whether the minimum age was waived for security, and the proof shows nothing fixed."""
    waived = all(one.planned.update.waived for one in proved)
    comparisons = [evidence.comparison for one in proved for evidence in one.evidence]
    return waived and not any(comparison and comparison.fixed for comparison in comparisons)


def _waiting(planned: Planned, reason: str) -> Decided:
    target = planned.target.name if planned.target else None
    return Decided(planned.project.name, target, planned.use, Waiting(reason, planned.update.to))


def _prove_one(planned: Planned, checkout: Checkout, tally: _Tally, parts: Parts, cycle: Cycle) -> Proved:
    may_build = tally.built < parts.policy.max_builds
    evidence = prove(planned, checkout, parts, cycle, may_build=may_build)
    record(planned, evidence, cycle, parts)
    record_sboms(planned, evidence, parts)
    tally.built += any(one.after is not None and one.after.build is not None for one in evidence)
    baseline = None
    if planned.target is not None and evidence:
        platform = str(evidence[0].platform)
        baseline = parts.store.baseline(planned.project.name, planned.target.name, platform)
    verdict = judge(evidence, planned.target, baseline, parts.policy.verdict)
    return Proved(planned, evidence, verdict, baseline)


def _publish(  # noqa: PLR0913, PLR0917 - the step's values, passed on once
    group: Group,
    proved: Sequence[Proved],
    checkout: Checkout,
    tally: _Tally,
    parts: Parts,
    existing: Publication | None,
) -> None:
    """Publish; a forge that fails costs the publication, not the proof."""
    publication, note = None, ""
    blocked = any(one.verdict.state is VerdictState.BLOCK for one in proved)
    try:
        if blocked and not parts.policy.draft_blocked:
            note = "blocked, and the configuration opens no drafts"
        else:
            publication = publish(group, proved, checkout, parts, existing)
    except BranchTaken:
        reason = "somebody pushed to its pull request; left alone"
        tally.decided += [_waiting(one.planned, reason) for one in proved]
        return
    except RefitError as error:
        note = error.message
        subject = ", ".join(sorted({planned.subject for planned in group.members}))
        tally.problems.append(Problem(subject, f"not published: {error.message}", error.hint))
    if publication is not None and existing is None:
        tally.opened[group.project.name] = tally.opened.get(group.project.name, 0) + 1
    tally.updates += [replace(one, publication=publication, publication_note=note) for one in proved]


def _result(  # noqa: PLR0913 - a value's fields
    parts: Parts, cycle: Cycle, plan: Plan, tally: _Tally, seconds: float, *, dry_run: bool
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
        notes=(f"level base only: {parts.no_builder}",) if parts.builder is None else (),
        published=plan.published,
    )
