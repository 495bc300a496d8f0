"""The worker carries out what is asked for, tells what became of it, and outlives every failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cycle.parts import Parts
from bot.errors import ForgeUnavailable, LeaseHeld, RegistryUnreachable
from bot.model.answer import Answer
from bot.model.run import CycleState
from bot.ports import Task
from bot.queue.local import LocalQueue
from bot.store.sql import open_store, sqlite_url
from bot.triggers.chat.answers import Answers
from bot.triggers.outbox import undelivered
from bot.triggers.worker import Worker
from tests.fakes.chat import FakeChat
from tests.unit.cycle.house import POINT, House, outdated
from tests.unit.triggers.workers import talk, worker

ASKED = {"subject": "debian:12", "thread": "C1/1"}


def shop(folder: Path) -> House:
    made = outdated(folder)
    made.registry.push("debian:12")
    return made


def due(job: str, period: str) -> Task:
    return Task(job, {"period": period})


def ledger(made: House) -> dict[str, CycleState]:
    return {cycle.id: cycle.state for cycle in made.store.cycles()}


def test_a_cycle_is_run_and_its_result_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = shop(tmp_path)

    worker(made)(due("monthly", "monthly-2026-11"))

    assert ledger(made) == {"monthly-2026-11": CycleState.DONE}
    assert "monthly-2026-11: shop: pass memory://acme/shop/pull/1" in caplog.messages
    assert "monthly-2026-11: done: 1 updates, 0 other uses, 0 failed" in caplog.messages


PERIODS = {
    "monthly": "monthly-2026-11",
    "observe": "observe-2026-11-24",
    "sboms": "sboms-2026-11-24",
    "quarterly": "quarterly-2026Q3",
    "cleanup": "cleanup-2026-11-24",
}


@pytest.mark.parametrize(("job", "period"), PERIODS.items(), ids=PERIODS)
def test_a_period_that_is_done_is_not_run_a_second_time(tmp_path: Path, job: str, period: str) -> None:
    made = shop(tmp_path)
    work = worker(made)
    work(due(job, period))
    requests = len(made.registry.asked)

    work(due(job, period))

    assert ledger(made) == {period: CycleState.DONE}
    assert len(made.registry.asked) == requests


def test_a_report_that_a_forge_did_not_take_leaves_its_period_to_be_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = shop(tmp_path)
    made.store.save_measurement(POINT)
    made.forge.errors["acme/shop"] = ForgeUnavailable("the forge is down", hint="Try later.")
    work = worker(made)

    work(due("quarterly", "quarterly-2026Q3"))

    assert ledger(made) == {"quarterly-2026Q3": CycleState.RUNNING}
    assert "quarterly-2026Q3: acme/shop: the forge is down Try later." in caplog.messages

    made.forge.errors.clear()
    work(due("quarterly", "quarterly-2026Q3"))

    assert ledger(made) == {"quarterly-2026Q3": CycleState.DONE}


def test_the_result_of_a_rescan_is_said_in_its_thread(tmp_path: Path) -> None:
    chat = FakeChat()

    worker(shop(tmp_path), chat)(Task("rescan", ASKED))

    ((thread, answer),) = chat.said
    assert thread == "C1/1"
    assert answer.headline == "debian:12: no known vulnerabilities"


def test_a_failure_is_said_in_its_thread_with_its_hint(tmp_path: Path) -> None:
    made, chat = shop(tmp_path), FakeChat()
    made.registry.fail("debian:12", RegistryUnreachable("docker.io does not answer", hint="Try later."))

    worker(made, chat)(Task("rescan", ASKED))

    assert chat.said == [("C1/1", Answer("That failed: docker.io does not answer", ("Try later.",)))]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(LeaseHeld("another Refit drives it", hint="Wait."), "another Refit", id="no lease"),
        pytest.param(KeyError("a bug"), "because of a bug in Refit", id="a bug"),
        pytest.param(KeyboardInterrupt(), "please ask again", id="cut off"),
    ],
)
def test_whatever_happens_who_asked_is_told_once(tmp_path: Path, error: BaseException, said: str) -> None:
    chat = FakeChat()

    def parts(_: str) -> AbstractContextManager[Parts]:
        raise error

    made = Worker(parts, talk(shop(tmp_path), chat))
    queue = LocalQueue(made, undone=made.undone)
    queue.submit(Task("rescan", ASKED), "rescan")
    while queue.depth():
        time.sleep(0.01)

    (headline,) = chat.headlines()
    assert said in headline


@pytest.mark.parametrize("error", [LeaseHeld("another Refit drives it"), KeyboardInterrupt()])
def test_what_a_queue_does_again_is_answered_when_it_is_done(tmp_path: Path, error: BaseException) -> None:
    made, chat, fails = shop(tmp_path), FakeChat(), [error]

    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        if fails:
            raise fails.pop()
        yield made.parts()

    work = Worker(parts, talk(made, chat))
    with pytest.raises(type(error)):
        work(Task("rescan", ASKED))
    work(Task("rescan", ASKED))

    assert chat.headlines() == ["debian:12: no known vulnerabilities"]


def test_a_store_that_fails_at_the_last_moment_does_not_have_it_answered_twice(tmp_path: Path) -> None:
    made, chat = shop(tmp_path), FakeChat()

    def guard() -> None:
        if chat.said:
            raise LeaseHeld("another Refit took over")

    store = open_store(sqlite_url(tmp_path / "state"), guard)

    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        yield replace(made.parts(), store=store)

    Worker(parts, talk(made, chat))(Task("rescan", ASKED))

    assert chat.headlines() == ["debian:12: no known vulnerabilities"]
    store.close()


def test_a_task_that_will_not_be_begun_is_told(tmp_path: Path) -> None:
    chat = FakeChat()

    worker(shop(tmp_path), chat).undone(Task("rescan", ASKED), None)

    assert chat.headlines() == ["I was stopped before this began: please ask again."]


def test_a_chat_that_is_down_gets_the_answer_when_it_is_up_and_once(tmp_path: Path) -> None:
    made, chat = shop(tmp_path), FakeChat(down=True)
    worker(made, chat)(Task("rescan", ASKED))
    chat.down = False

    for _ in range(3):  # each time by another process
        Answers(chat, made.store, made.clock).deliver()

    assert chat.headlines() == ["debian:12: no known vulnerabilities"]
    assert undelivered(made.store) == []
