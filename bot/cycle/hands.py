"""Jobs that any machine may do: one proof, one publication, one writing. Each leaves a receipt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.cycle.bugs import bug
from bot.cycle.crew import evidence_of, proof_key, publication_key
from bot.cycle.grouping import Group, grouped
from bot.cycle.keys import ticket
from bot.cycle.parts import Parts
from bot.cycle.project import judged
from bot.cycle.prove import prove
from bot.cycle.publish import branch_of, publish
from bot.cycle.reading_forge import write
from bot.errors import BranchTaken, ForgeRefused, RefitError, ServiceError, StoreError
from bot.model.receipt import Receipt
from bot.model.run import Cycle, CycleState, Plan, Planned, Proved

log: Final = logging.getLogger(__name__)
_OTHER: Final = "Run the same version of Refit on every machine."
_DIFFERS: Final = "Give every worker the same configuration as `refit serve`."


def prove_job(parts: Parts, value: Mapping[str, str]) -> None:
    """Prove one update of a stored plan, unless somebody has.

    Raises:
        StoreError: The store cannot be used: the job is to be done again.
    """
    cycle = _cycle(parts, value)
    if cycle is None:
        return
    _leave(parts, proof_key(cycle, value["ticket"]), lambda key: _prove(parts, cycle, value, key))


def publish_job(parts: Parts, value: Mapping[str, str]) -> None:
    """Publish one group of a stored plan whose proofs are there, unless somebody has.

    Raises:
        StoreError: The store cannot be used: the job is to be done again.
    """
    cycle = _cycle(parts, value)
    if cycle is None:
        return
    tickets = value["tickets"].split()
    _leave(parts, publication_key(cycle, value["slot"]), lambda key: _publish(parts, cycle, tickets, key))


def write_job(parts: Parts, value: Mapping[str, str]) -> None:
    """Write what a machine that may only read asks for, unless somebody has.

    Raises:
        StoreError: The store cannot be used: the job is to be done again.
    """
    _leave(parts, value["key"], lambda _: _write(parts, value))


def _leave(parts: Parts, key: str, work: Callable[[str], Receipt]) -> None:
    """Do the work of a key that has no receipt, and leave one, whatever became of it."""
    if parts.store.receipt(key) is not None:
        return
    try:
        receipt = work(key)
    except StoreError:
        raise
    except BranchTaken as error:
        receipt = Receipt(key, error=error.message, hint=error.hint, taken=True)
    except RefitError as error:
        refused = isinstance(error, ForgeRefused)
        receipt = Receipt(key, error=error.message, hint=error.hint, refused=refused)
    except Exception as error:
        log.exception("%s: a bug in Refit", key)
        told = bug(key, error)
        receipt = Receipt(key, error=told.error, hint="Please report it with this worker's log.")
    parts.store.save_receipt(receipt, parts.clock.now())


def _prove(parts: Parts, cycle: Cycle, value: Mapping[str, str], key: str) -> Receipt:
    planned = _find(_plan(parts, cycle), value["ticket"])
    checkout = parts.forge(planned.project).checkout(planned.project, planned.commit)
    evidence = prove(planned, checkout, parts, cycle, may_build=value["build"] == "yes")
    return Receipt(key, evidence=tuple(one.key for one in evidence))


def _publish(parts: Parts, cycle: Cycle, tickets: Sequence[str], key: str) -> Receipt:
    group = _group(_plan(parts, cycle), tickets, parts)
    forge = parts.forge(group.project)
    checkout = forge.checkout(group.project, group.members[0].commit)
    proved = [_proved(parts, cycle, planned) for planned in group.members]
    branch = branch_of(group, parts.store.publication(group.slot))
    existing = forge.find(group.project, group.slot, branch)
    return Receipt(key, publication=publish(group, proved, checkout, parts, existing))


def _write(parts: Parts, value: Mapping[str, str]) -> Receipt:
    project = next((one for one in parts.projects if one.name == value["project"]), None)
    if project is None:
        raise ServiceError(f"{value['project']} is not among this worker's projects", hint=_DIFFERS)
    return write(parts.forge(project), project, value)


def _proved(parts: Parts, cycle: Cycle, planned: Planned) -> Proved:
    receipt = parts.store.receipt(proof_key(cycle, ticket(planned)))
    if receipt is None:
        raise ServiceError(f"{planned.subject} is not proved yet", hint="The next cycle tries again.")
    return judged(planned, evidence_of(receipt, parts.store), parts)


def _cycle(parts: Parts, value: Mapping[str, str]) -> Cycle | None:
    """The cycle a job belongs to, or None where it ended meanwhile: nobody waits for the job any more."""
    found = [one for one in parts.store.cycles(value["name"]) if one.id == value["cycle"]]
    return found[0] if found and found[0].state is CycleState.RUNNING else None


def _plan(parts: Parts, cycle: Cycle) -> Plan:
    plan = parts.store.plan(cycle)
    if plan is None:
        raise StoreError(f"the store has no plan for {cycle.id}")
    return plan


def _find(plan: Plan, wanted: str) -> Planned:
    for planned in plan.updates:
        if ticket(planned) == wanted:
            return planned
    raise ServiceError(f"the plan has no update {wanted}", hint=_OTHER)


def _group(plan: Plan, tickets: Sequence[str], parts: Parts) -> Group:
    """The group that the driver means: of what belongs together, what others' pull requests do not change."""
    for group in grouped(plan.updates, parts.policy.rules):
        members = tuple(planned for planned in group.members if ticket(planned) in tickets)
        if len(members) == len(tickets):
            return replace(group, members=members)
    raise ServiceError("this worker's rules group the updates differently", hint=_DIFFERS)
