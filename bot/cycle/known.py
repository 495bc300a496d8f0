"""What the newest plan knows of all projects: asked of the store alone, at once."""

from __future__ import annotations

from typing import Final

from bot.cycle.inventory import subject_of
from bot.model.run import Cycle, Plan
from bot.model.use import Use
from bot.ports import Store

_CYCLES: Final = 200
_PARTIAL: Final = "-only-"


def is_whole(cycle: Cycle) -> bool:
    """True for a cycle over all projects; `refit run --only`, and `open` in a chat, make others."""
    return _PARTIAL not in cycle.name


def newest_plan(store: Store) -> Plan | None:
    """The plan of the newest cycle over all projects; None before the first."""
    cycle = _newest(store)
    return store.plan(cycle) if cycle else None


class KnownTargets:
    """The targets that the newest plan saw; a plan is read once, for one of a large fleet is large.

    Safe from several threads: two may read the same plan at the same time, and both are right.

    Args:
        store: Holds the plans; one that is stored does not change any more.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[str, frozenset[str]] = ("", frozenset())

    def __call__(self) -> tuple[str, ...]:
        """Their names, sorted; none before the first cycle."""
        return tuple(sorted({one.partition("#")[2] for one in self.subjects()}))

    def subjects(self) -> frozenset[str]:
        """The same with their projects: `project#target`."""
        cycle = _newest(self._store)
        if cycle is None:
            return frozenset()
        known, subjects = self._seen
        if known != cycle.id:
            subjects = _subjects(self._store.plan(cycle))
            self._seen = (cycle.id, subjects)
        return subjects


def known_subjects(store: Store) -> frozenset[str]:
    """The targets that the newest plan saw: `project#target`, which SBOMs are kept under."""
    return _subjects(newest_plan(store))


def known_uses(store: Store) -> tuple[tuple[str, Use], ...]:
    """Every use that it saw, with its project."""
    plan = newest_plan(store)
    if plan is None:
        return ()
    updated = [(planned.project.name, use) for planned in plan.updates for use in planned.uses]
    return (*updated, *((one.project, one.use) for one in plan.decided))


def _newest(store: Store) -> Cycle | None:
    """The newest cycle with a plan over all projects."""
    return next((one for one in store.planned(_CYCLES) if is_whole(one)), None)


def _subjects(plan: Plan | None) -> frozenset[str]:
    if plan is None:
        return frozenset()
    updated = {subject_of(planned.target) for planned in plan.updates if planned.target}
    return frozenset(updated | {f"{one.project}#{one.target}" for one in plan.decided if one.target})
