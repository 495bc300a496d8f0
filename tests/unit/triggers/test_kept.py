"""Who asked for something hears once what became of it, also where the process is killed in the middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.cleanup import PENDING
from bot.ports import Task
from bot.queue.local import LocalQueue
from bot.store.holder import this_process
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.conversation import Conversation
from bot.triggers.kept import Kept, KeptQueue
from bot.triggers.webhook import COMMENT
from bot.triggers.worker import Worker
from tests.fakes.chat import FakeChat
from tests.unit.cycle.house import House, outdated

ASKED = Task("rescan", {"subject": "debian:12", "thread": "C1/1", "progress": "C1/2"})
STOPPED = "I was stopped in the middle of this: please ask again."


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = outdated(tmp_path)
    made.registry.push("debian:12")
    return made


class Life:
    """A process: its notes, and a queue."""

    def __init__(
        self, house: House, chat: FakeChat, who: str = "", stuck: threading.Event | None = None
    ) -> None:
        talk = Conversation(Answers(chat, house.store, house.clock), lambda *_: "")
        self.heard: list[Task] = []
        worker = Worker(house.opened, talk, {COMMENT: lambda _, task: self.heard.append(task)})
        self.kept = Kept(worker, house.store, house.clock, who or this_process())

        def local(
            work: Callable[[Task], None], undone: Callable[[Task, BaseException | None], None]
        ) -> LocalQueue:
            def begun(task: Task) -> None:
                if stuck is not None:
                    stuck.wait()
                work(task)

            return LocalQueue(begun, undone=undone)

        self.queue: KeptQueue = self.kept.queue(local)

    def take_up(self) -> None:
        """Begin, and wait until what was left is told."""
        self.kept.take_up(self.queue)
        for thread in threading.enumerate():
            if thread.name == "refit-left":
                thread.join(20)
        while self.queue.depth():
            time.sleep(0.01)


def test_what_a_killed_process_was_at_is_told_once_by_the_next(house: House) -> None:
    chat, never = FakeChat(), threading.Event()
    Life(house, chat, stuck=never).queue.submit(ASKED, "rescan debian:12")  # killed in the middle

    for _ in range(3):
        Life(house, chat).take_up()

    assert chat.headlines() == [STOPPED]
    assert chat.edits == [("C1/2", "Stopped.")], "nothing looks as if it went on"


def test_what_has_ended_is_not_told_again(house: House) -> None:
    chat = FakeChat()
    life = Life(house, chat)
    life.queue.submit(ASKED, "rescan debian:12")
    while life.queue.depth():
        time.sleep(0.01)

    Life(house, chat).take_up()

    assert chat.headlines() == ["debian:12: no known vulnerabilities"]
    assert house.store.noted(PENDING) == {}


def test_what_is_asked_for_twice_at_once_leaves_one_note(house: House) -> None:
    chat, never = FakeChat(), threading.Event()
    life = Life(house, chat, stuck=never)

    assert [life.queue.submit(ASKED, "rescan debian:12") for _ in range(2)] == [True, False]
    assert len(house.store.noted(PENDING)) == 1


def test_a_comment_that_was_not_answered_is_heard_again_however_far_it_had_come(house: House) -> None:
    chat, never = FakeChat(), threading.Event()
    comment = Task(COMMENT, {"project": "acme/shop", "number": "1", "author": "alice", "text": "/refit help"})
    Life(house, chat, stuck=never).queue.submit(comment, "delivery 1")

    life = Life(house, chat)
    life.take_up()

    assert [(task.value["text"], task.value["again"]) for task in life.heard] == [("/refit help", "yes")]
    assert house.store.noted(PENDING) == {}


@pytest.mark.parametrize(("age", "told"), [(timedelta(hours=1), []), (timedelta(hours=7), [STOPPED])])
def test_another_machines_work_is_left_alone_until_nobody_can_be_at_it(
    house: House, age: timedelta, told: list[str]
) -> None:
    chat, never = FakeChat(), threading.Event()
    other = Life(house, chat, who="another-host process 7", stuck=never)
    other.queue.submit(ASKED, "rescan debian:12")
    house.clock.moment += age

    Life(house, chat).take_up()

    assert chat.headlines() == told


def test_work_of_a_process_that_runs_beside_is_left_alone(house: House) -> None:
    chat, never = FakeChat(), threading.Event()
    beside = f"{this_process().rpartition(' ')[0]} 1"
    Life(house, chat, who=beside, stuck=never).queue.submit(ASKED, "rescan debian:12")

    Life(house, chat).take_up()

    assert chat.headlines() == []


def test_what_the_schedule_asks_for_needs_no_note(house: House) -> None:
    Life(house, FakeChat(), stuck=threading.Event()).queue.submit(
        Task("observe", {"period": "observe-2026-11-24"}), "observe-2026-11-24"
    )

    assert house.store.noted(PENDING) == {}
