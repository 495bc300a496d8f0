"""Many machines: the one that drives a cycle hands proofs and publications to whoever takes them.

The cycle itself goes its usual way; only the two long steps are done elsewhere. Each is a job with a key.
Its receipt in the store says what became of it, so a driver that dies is replaced by one that finds the
receipts, and a job that two machines did counts once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.cycle.grouping import Group
from bot.cycle.keys import ticket
from bot.errors import BranchTaken, NoWorker, ServiceError
from bot.model.evidence import Evidence
from bot.model.receipt import Receipt
from bot.model.run import Cycle, Planned, Publication
from bot.ports import Queue, Store, Task

log: Final = logging.getLogger(__name__)
PROVE: Final = "prove"
PUBLISH: Final = "publish"
WRITE: Final = "write"
_LOOK_SECONDS: Final = 0.5
_LOOKS_PER_ASKING: Final = 10
_ASKED_AGAIN: Final = 5
_LOOKS_PER_WARNING: Final = 600
_MOST_IDLE_LOOKS: Final = 3600  # half an hour in which nobody did anything of the kind


@dataclass(frozen=True, slots=True)
class Crew:
    """Hands out the work of a cycle, and waits for its receipts.

    Attributes:
        store: Where receipts and evidence arrive.
        queue: Takes the jobs; each key once.
        pause: Waits so many seconds; raises KeyboardInterrupt where this process is to stop.
    """

    store: Store
    queue: Queue
    pause: Callable[[float], None]

    def announce(self, cycle: Cycle, wanted: Sequence[Planned], may_build: Callable[[Planned], bool]) -> None:
        """Hand out proofs that will be asked for, so that all machines work on them at once."""
        for planned in wanted:
            task, key = _proof(cycle, planned, may_build=may_build(planned))
            if self.store.receipt(key) is None:
                self.queue.submit(task, key)

    def prove(self, cycle: Cycle, planned: Planned, *, may_build: bool) -> tuple[Evidence, ...]:
        """The evidence of one update, as soon as some machine has it.

        Raises:
            ServiceError: The proof failed, or its job was lost again and again.
        """
        task, key = _proof(cycle, planned, may_build=may_build)
        return evidence_of(self.receipt(task, key), self.store)

    def publish(self, cycle: Cycle, group: Group) -> Publication:
        """The publication of a group, as soon as some machine has it confirmed.

        Raises:
            BranchTaken: Somebody pushed to its branch.
            ServiceError: The forge did not take it.
        """
        value = {"cycle": cycle.id, "name": cycle.name, "project": group.project.name, "slot": group.slot}
        tickets = " ".join(ticket(planned) for planned in group.members)
        receipt = self.receipt(
            Task(PUBLISH, value | {"tickets": tickets}), publication_key(cycle, group.slot)
        )
        if receipt.taken:
            raise BranchTaken(receipt.error, hint=receipt.hint)
        if receipt.publication is None:
            raise ServiceError(receipt.error, hint=receipt.hint)
        return receipt.publication

    def receipt(self, task: Task, key: str) -> Receipt:
        """What became of a job: asked for, and waited for.

        One that is neither done nor waiting nor running was lost, and is asked for again.

        Raises:
            ServiceError: It was lost again and again.
            NoWorker: No machine did anything of the kind for half an hour.
        """
        asked = look = idle = 0
        while (receipt := self.store.receipt(key)) is None:
            if look % _LOOKS_PER_ASKING == 0:
                asked += self.queue.submit(task, key)
                idle = 0 if self._is_done_somewhere(task) else idle + _LOOKS_PER_ASKING
                _warn(key, idle)
            if asked > _ASKED_AGAIN:
                raise ServiceError(f"the job {key!r} was lost {asked} times", hint="Do the workers run?")
            look += 1
            self.pause(_LOOK_SECONDS)
        return receipt

    def _is_done_somewhere(self, task: Task) -> bool:
        """True where some machine is at work of this kind now."""
        load = self.queue.loads().get(PROVE if task.name == PROVE else PUBLISH)
        return load is not None and load.running > 0


def _warn(key: str, idle: int) -> None:
    """Say that nobody takes a job, now and then, and end it after a while: other work waits behind the cycle.

    Raises:
        NoWorker: That was long enough.
    """
    what, minutes = key.partition(" ")[0], int(idle * _LOOK_SECONDS / 60)
    if idle >= _MOST_IDLE_LOOKS:
        raise NoWorker(f"no machine took {what} jobs for {minutes} minutes")
    if idle and idle % _LOOKS_PER_WARNING == 0:
        log.warning("%s has waited for %d minutes: %s", key, minutes, NoWorker.default_hint)


def evidence_of(receipt: Receipt, store: Store) -> tuple[Evidence, ...]:
    """What a proof measured, from the store.

    Raises:
        ServiceError: It failed, or its evidence is gone.
    """
    if receipt.error:
        raise ServiceError(receipt.error, hint=receipt.hint)
    found = tuple(evidence for key in receipt.evidence if (evidence := store.evidence(key)) is not None)
    if len(found) != len(receipt.evidence):
        raise ServiceError(f"the evidence of {receipt.key!r} is no longer in the store")
    return found


def proof_key(cycle: Cycle, named: str) -> str:
    """The key of the job that proves the update of a ticket."""
    return f"{PROVE} {cycle.id} {named}"


def publication_key(cycle: Cycle, slot: str) -> str:
    """The key of the job that publishes a group."""
    return f"{PUBLISH} {cycle.id} {slot}"


def _proof(cycle: Cycle, planned: Planned, *, may_build: bool) -> tuple[Task, str]:
    value = {"cycle": cycle.id, "name": cycle.name, "ticket": ticket(planned)}
    return Task(PROVE, value | {"build": "yes" if may_build else "no"}), proof_key(cycle, value["ticket"])
