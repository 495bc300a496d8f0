"""What the newest plan knows of all projects: asked of the store alone, at once."""

from __future__ import annotations

from typing import Final

from bot.cycle.inventory import subject_of
from bot.model.run import Plan
from bot.model.use import Use
from bot.ports import Store

_CYCLES: Final = 20
_PARTIAL: Final = "-only-"


def newest_plan(store: Store) -> Plan | None:
    """The plan of the newest cycle over all projects; None before the first."""
    whole = (one for one in store.cycles(limit=_CYCLES) if _PARTIAL not in one.name)
    return next((plan for cycle in whole if (plan := store.plan(cycle)) is not None), None)


def known_targets(store: Store) -> tuple[str, ...]:
    """Names of the targets that it saw."""
    plan = newest_plan(store)
    if plan is None:
        return ()
    updated = {planned.target.name for planned in plan.updates if planned.target}
    return tuple(sorted(updated | {one.target for one in plan.decided if one.target}))


def known_subjects(store: Store) -> frozenset[str]:
    """The same with their projects: `project#target`, which SBOMs are kept under."""
    plan = newest_plan(store)
    if plan is None:
        return frozenset()
    updated = {subject_of(planned.target) for planned in plan.updates if planned.target}
    return frozenset(updated | {f"{one.project}#{one.target}" for one in plan.decided if one.target})


def known_uses(store: Store) -> tuple[tuple[str, Use], ...]:
    """Every use that it saw, with its project."""
    plan = newest_plan(store)
    if plan is None:
        return ()
    updated = [(planned.project.name, use) for planned in plan.updates for use in planned.uses]
    return (*updated, *((one.project, one.use) for one in plan.decided))
