"""A cycle whose proofs and publications others do gives what one machine gives, whatever becomes of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.crew import Crew, proof_key, publication_key
from bot.cycle.grouping import Group, grouped
from bot.cycle.hands import prove_job, publish_job
from bot.cycle.monthly import Outcome, run_cycle
from bot.cycle.parts import Parts
from bot.errors import BranchTaken, NoWorker, ScanError, ServiceError, StoreError
from bot.model.load import Load
from bot.model.receipt import Receipt
from bot.model.run import CycleState, Plan
from bot.ports import Queue, Task
from bot.queue.local import LocalQueue
from bot.store.sql import open_store, sqlite_url
from bot.triggers.notify import News
from bot.triggers.worker import Worker
from tests.unit.cycle.house import House, outdated


@pytest.fixture
def shop(tmp_path: Path) -> House:
    return outdated(tmp_path)


@pytest.fixture
def queue(shop: House) -> Iterator[Queue]:
    """The queue of the machines that work: here, threads."""
    made = LocalQueue(Worker(shop.opened), threads=3)
    yield made
    assert made.drain(120)


def drive(shop: House, queue: Queue) -> Outcome:
    """Drive the cycle on a machine without an engine."""
    crew = Crew(shop.store, queue, lambda seconds: time.sleep(seconds / 50))
    return run_cycle(replace(shop.parts(), builder=None, no_builder="there is no engine here", crew=crew))


def test_it_gives_what_one_machine_gives(shop: House, queue: Queue) -> None:
    result = drive(shop, queue).result

    (update,) = result.updates
    assert result.problems == ()
    assert result.notes == ()
    assert update.publication is not None
    assert update.evidence[0].level.value == "health"
    assert len(shop.forge.published) == 1


def test_a_driver_that_died_is_replaced_by_one_that_finds_the_receipts(shop: House, queue: Queue) -> None:
    drive(shop, queue)
    proved = len(shop.builder.built) if shop.builder else 0
    (cycle,) = shop.store.cycles()
    again = shop.store.begin("monthly-2026-11", shop.clock.now())
    assert again.id == f"{cycle.id}.2"

    drive(shop, queue)

    assert shop.builder is not None
    assert len(shop.builder.built) == proved
    assert len(shop.forge.published) == 1


def test_a_proof_that_fails_elsewhere_is_a_problem_here(shop: House, queue: Queue) -> None:
    shop.scanner.otherwise = lambda _: ScanError("the scan did not finish", hint="Try later.")

    result = drive(shop, queue).result

    (problem,) = result.problems
    assert (problem.subject, problem.error, problem.hint) == ("shop", "the scan did not finish", "Try later.")
    assert shop.forge.published == {}


def test_the_first_receipt_of_a_job_counts(shop: House) -> None:
    now = shop.clock.now()

    first = shop.store.save_receipt(Receipt("prove one", evidence=("a",)), now)
    second = shop.store.save_receipt(Receipt("prove one", evidence=("b",)), now)

    assert first == second == shop.store.receipt("prove one")


def test_a_job_of_a_cycle_that_ended_does_nothing(shop: House, queue: Queue) -> None:
    drive(shop, queue)
    (cycle,) = shop.store.cycles()
    asked, pulls = len(shop.registry.asked), len(shop.forge.published)
    value = {
        "cycle": cycle.id,
        "name": cycle.name,
        "ticket": "t",
        "build": "yes",
        "slot": "s",
        "tickets": "t",
    }

    prove_job(shop.parts(), value)
    publish_job(shop.parts(), value)

    assert (len(shop.registry.asked), len(shop.forge.published)) == (asked, pulls)


def test_a_branch_that_a_person_works_on_is_left_alone(shop: House, queue: Queue) -> None:
    crew = Crew(shop.store, queue, time.sleep)
    drive(shop, queue)
    cycle = shop.store.begin("monthly-2026-11", shop.clock.now())
    plan = shop.store.plan(shop.store.cycles("monthly-2026-11")[-1])
    assert plan is not None
    (group,) = grouped(plan.updates)
    taken = Receipt(publication_key(cycle, group.slot), error="a person pushed", taken=True)
    shop.store.save_receipt(taken, shop.clock.now())

    with pytest.raises(BranchTaken, match="a person pushed"):
        crew.publish(cycle, group)


def test_a_job_that_is_lost_again_and_again_is_said(shop: House) -> None:
    queue = LocalQueue(lambda _: None)  # takes every job, and leaves no receipt
    crew = Crew(shop.store, queue, lambda seconds: time.sleep(seconds / 100))
    cycle = shop.store.begin("monthly-2026-11", shop.clock.now())
    group = Group(shop.projects[0], "debian:12", ())

    with pytest.raises(ServiceError, match="was lost 6 times"):
        crew.publish(cycle, group)

    assert queue.drain(120)


class Workerless(LocalQueue):
    """A queue that no machine takes jobs from, or one that is at another job all the while."""

    def __init__(self, running: int = 0) -> None:
        super().__init__(lambda _: None)
        self._running = running

    def submit(self, task: Task, key: str) -> bool:
        del task
        taken, self._taken = self._taken, {key: Task("publish")}
        return not taken

    def loads(self) -> dict[str, Load]:
        return {"publish": Load(len(self._taken), self._running)}


def test_a_job_that_nobody_takes_is_said_with_what_to_start_and_ends_the_waiting(
    shop: House, caplog: pytest.LogCaptureFixture
) -> None:
    cycle = shop.store.begin("monthly-2026-11", shop.clock.now())
    crew = Crew(shop.store, Workerless(), lambda _: None)

    with pytest.raises(NoWorker, match="no machine took publish jobs for 30 minutes") as caught:
        crew.publish(cycle, Group(shop.projects[0], "debian:12", ()))

    assert "refit worker --role publish" in caught.value.hint
    told = [line for line in caplog.messages if "Start `refit worker --role prove`" in line]
    assert [line.partition(" has ")[2].partition(":")[0] for line in told] == [
        f"waited for {minutes} minutes" for minutes in (5, 10, 15, 20, 25)
    ]


def test_a_job_that_waits_behind_others_is_waited_for(shop: House) -> None:
    looks = iter(range(10_000))  # 83 minutes

    def pause(_: float) -> None:
        if next(looks, None) is None:
            raise KeyboardInterrupt

    cycle = shop.store.begin("monthly-2026-11", shop.clock.now())
    with pytest.raises(KeyboardInterrupt):
        Crew(shop.store, Workerless(running=1), pause).publish(cycle, Group(shop.projects[0], "a:1", ()))


def test_a_cycle_that_nobody_works_for_is_to_be_gone_on_with_and_makes_room_for_other_work(
    shop: House,
) -> None:
    crew = Crew(shop.store, Workerless(), lambda _: None)
    failed: list[str] = []

    class Told(News):
        def failed(self, task: Task, error: Exception) -> None:
            failed.append(f"{task.name}: {error}")

    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        yield replace(shop.parts(), crew=crew)

    Worker(parts, news=Told())(Task("monthly", {"period": "monthly-2026-11"}))

    assert failed == ["monthly: no machine took prove jobs for 30 minutes"]
    (cycle,) = shop.store.cycles()
    assert cycle.state is CycleState.RUNNING


def test_a_store_that_fails_leaves_the_job_to_be_done_again(shop: House, tmp_path: Path) -> None:
    def broken() -> None:
        raise StoreError("the database restarts")

    store = open_store(sqlite_url(tmp_path / "state"), broken)
    parts = replace(shop.parts(), store=store)

    with pytest.raises(StoreError, match="restarts"):
        prove_job(
            parts, {"cycle": "monthly-2026-11", "name": "monthly-2026-11", "ticket": "t", "build": "no"}
        )
    store.close()


def test_a_job_whose_update_this_worker_does_not_know_ends_with_a_receipt_that_says_so(shop: House) -> None:
    cycle = shop.store.begin("monthly-2026-11", shop.clock.now())
    shop.store.save_plan(cycle, Plan((), ()))

    prove_job(shop.parts(), {"cycle": cycle.id, "name": cycle.name, "ticket": "unknown", "build": "yes"})

    receipt = shop.store.receipt(proof_key(cycle, "unknown"))
    assert receipt is not None
    assert (receipt.error, receipt.hint) == (
        "the plan has no update unknown",
        "Run the same version of Refit on every machine.",
    )
