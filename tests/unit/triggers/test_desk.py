"""The desk: what it takes is answered, whatever stands behind it, in however many processes it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.model.answer import Answer
from bot.ports import Queue, Task
from bot.queue.local import LocalQueue
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.desk import Desk, Message
from bot.triggers.chat.grammar import Word
from tests.fakes.chat import FakeChat
from tests.unit.cycle.house import FakeClock


class BrokenQueue(LocalQueue):
    """A queue whose database is gone."""

    def submit(self, task: Task, key: str) -> bool:
        raise StoreError(f"the queue cannot be used: {task.name} {key}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


def desk(chat: FakeChat, store: SqlStore, queue: Queue | None = None) -> Desk:
    queue, clock = queue or LocalQueue(lambda _: None), FakeClock()
    return Desk(
        chat=chat,
        access=Access(frozenset({"U1"}), frozenset({"C1"})),
        limit=RateLimit(3, store, clock),
        queues=lambda _: queue,
        store=store,
        clock=clock,
        targets=lambda: ("shop",),
        tell={Word.STATUS: lambda: Answer("Nothing ran yet.")},
        answers=Answers(chat, store, clock),
    )


def message(text: str, number: int = 1) -> Message:
    return Message("slack", "U1", "C1", text, f"event {number}", "thread")


def test_a_queue_that_takes_nothing_is_told_where_the_result_was_to_come(store: SqlStore) -> None:
    chat = FakeChat()

    desk(chat, store, BrokenQueue(lambda _: None)).converse(message("rescan debian:12"))

    assert chat.edits == [("thread.1", "That failed: the queue cannot be used: rescan rescan debian:12")]


def test_two_processes_let_one_person_ask_no_more_often_than_one(store: SqlStore, tmp_path: Path) -> None:
    chat, other = FakeChat(), open_store(sqlite_url(tmp_path))
    desks = [desk(chat, store), desk(chat, other)]

    for number in range(4):
        desks[number % 2].converse(message("status", number))
    other.close()

    assert chat.headlines()[:3] == ["Nothing ran yet."] * 3
    assert chat.headlines()[3] == "That was often. Please ask again in 60 seconds."
