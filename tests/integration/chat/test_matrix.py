"""Matrix, by real matrix-nio against a real Synapse: heard, answered in the thread, edited, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.model.vulnerability import Scan
from bot.ports import ScanRequest
from bot.queue.local import LocalQueue
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.conversation import Conversation
from bot.triggers.chat.desk import Desk, Message
from bot.triggers.chat.grammar import Word
from bot.triggers.chat.hearers import MatrixHearer
from bot.triggers.chat.matrix import MatrixChat
from bot.triggers.chat.names import MATRIX as NAME
from bot.triggers.chat.switch import OneChat, Switch
from bot.triggers.worker import Worker
from tests.integration.chat.ways import shop
from tests.synapse import Account, Synapse
from tests.unit.cycle.house import House, clean

People = tuple[Account, Account, Account]


@pytest.fixture(scope="module")
def people(homeserver: Synapse) -> People:
    """Alice, Mallory and the bot."""
    alice, mallory, bot = (homeserver.register(name) for name in ("alice", "mallory", "refit"))
    return alice, mallory, bot


@dataclass
class Room:
    """A room with alice and the bot in it.

    Attributes:
        id: The room.
        alice: Is answered.
        mallory: Is in the room, and is not.
        bot: The bot's account.
        house: What stands behind the bot.
        queue: Its work.
    """

    id: str
    alice: Account
    mallory: Account
    bot: Account
    house: House
    queue: LocalQueue
    said: Answers | None = None

    def answers(self, count: int) -> list[dict[str, Any]]:
        """Contents of the bot's messages but for edits, once there are so many and nothing is left to do."""
        wait_until(lambda: len(self._said()) >= count and self.queue.depth() == 0)
        return self._said()

    def shown(self, event: str) -> str:
        """What a message says after its edits."""
        edits = [
            one["content"]["m.new_content"]["body"]
            for one in self.alice.messages(self.id)
            if one["content"].get("m.relates_to", {}).get("event_id") == event
            and one["content"]["m.relates_to"]["rel_type"] == "m.replace"
        ]
        return str(edits[-1]) if edits else ""

    def so_far(self) -> list[dict[str, Any]]:
        """Contents of the bot's messages but for edits, as they are now."""
        return self._said()

    def _said(self) -> list[dict[str, Any]]:
        ours = [one for one in self.alice.messages(self.id) if one["sender"] == self.bot.user]
        contents = [{**one["content"], "event": one["event_id"]} for one in ours]
        return [one for one in contents if "m.new_content" not in one]


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def hearing(room: Room) -> Iterator[None]:
    """The bot hears the room for a while."""
    chat = MatrixChat(room.bot.url, room.bot.user, room.bot.token, [room.id])
    said = room.said = Answers(Switch({NAME: chat}), room.house.store, room.house.clock)
    room.queue = LocalQueue(Worker(room.house.opened, Conversation(said, lambda *_: "")))
    desk = Desk(
        chat=OneChat(NAME, chat),
        access=Access(frozenset({room.alice.user}), frozenset({room.id})),
        limit=RateLimit(10, room.house.store, room.house.clock),
        queues=lambda _: room.queue,
        store=room.house.store,
        clock=room.house.clock,
        targets=lambda: ("shop",),
        tell={Word.STATUS: lambda: Answer("Nothing ran yet.")},
        answers=said,
    )
    hearer = MatrixHearer(chat, desk.converse, room.house.store, room.house.clock)
    hearer.connect()
    wait_until(lambda: room.house.store.remembered(NAME, "since") is not None)
    try:
        yield
    finally:
        hearer.close()
        room.queue.drain(120)
        chat.disconnect()


@pytest.fixture
def room(people: People, tmp_path: Path) -> Iterator[Room]:
    alice, mallory, bot = people
    room_id = alice.room(mallory.user, bot.user)
    mallory.call("POST", f"join/{room_id}")
    made = Room(room_id, alice, mallory, bot, shop(tmp_path), LocalQueue(lambda _: None))
    with hearing(made):
        yield made
    made.house.store.close()


def root_of(content: dict[str, Any]) -> str:
    relation = content["m.relates_to"]
    assert relation["rel_type"] == "m.thread"
    return str(relation["event_id"])


def test_a_command_is_answered_in_its_thread_with_edited_progress(room: Room) -> None:
    event = room.alice.say(room.id, "!rescan `debian:12`")

    progress, result = room.answers(2)

    assert root_of(progress) == root_of(result) == event
    assert room.shown(progress["event"]).startswith("Done in ")
    assert result["body"].startswith("debian:12: no known vulnerabilities")
    assert "<strong>debian:12: no known vulnerabilities</strong>" in result["formatted_body"]
    assert result["m.mentions"] == {"user_ids": [room.alice.user]}
    assert result["msgtype"] == "m.notice"


MENTIONS: dict[str, Callable[[Room], tuple[str, dict[str, Any]]]] = {
    "a pill": lambda room: (
        f"{room.bot.user.partition(':')[0][1:]}: status",
        {"m.mentions": {"user_ids": [room.bot.user]}},
    ),
    "the id": lambda room: (f"{room.bot.user} status", {}),
    "a mention at the end": lambda room: (
        f"status {room.bot.user}",
        {"m.mentions": {"user_ids": [room.bot.user]}},
    ),
    "the word of all": lambda _: ("!refit status", {}),
    "a typo": lambda room: (f"{room.bot.user}: staus", {}),
    "a typo after the mark": lambda _: ("!staus", {}),
}


@pytest.mark.parametrize("how", MENTIONS.values(), ids=MENTIONS)
def test_a_mention_is_heard(room: Room, how: Callable[[Room], tuple[str, dict[str, Any]]]) -> None:
    text, more = how(room)
    room.alice.say(room.id, text, **more)

    (answer,) = room.answers(1)
    assert answer["body"] == "Nothing ran yet."


def test_what_is_not_for_us_is_not_answered(room: Room) -> None:
    room.alice.say(room.id, "status, anybody?")
    room.alice.say(room.id, "!weather Berlin")
    room.alice.say(room.id, "!status", msgtype="m.notice")
    room.alice.say(room.id, "!status")

    assert [one["body"] for one in room.answers(1)] == ["Nothing ran yet."]


def test_inside_a_thread_the_answer_stays_there(room: Room) -> None:
    root = room.alice.say(room.id, "Look at this.")
    relation = {"rel_type": "m.thread", "event_id": root}
    room.alice.say(room.id, "!status", **{"m.relates_to": relation})

    assert root_of(room.answers(1)[0]) == root


def test_who_is_not_listed_gets_a_polite_no_and_a_listed_person_an_answer(room: Room) -> None:
    room.mallory.say(room.id, "!rescan debian:12")

    (answer,) = room.answers(1)
    assert answer["body"].startswith("Sorry")


def test_a_restart_answers_what_was_said_meanwhile_and_nothing_twice(people: People, tmp_path: Path) -> None:
    alice, mallory, bot = people
    room_id = alice.room(mallory.user, bot.user)
    alice.say(room_id, "!help")  # before the bot ever came: not for us
    made = Room(room_id, alice, mallory, bot, shop(tmp_path), LocalQueue(lambda _: None))
    with hearing(made):
        alice.say(room_id, "!status")
        made.answers(1)
    alice.say(room_id, "!status again")
    with hearing(made):
        assert [one["body"].splitlines()[0] for one in made.answers(2)] == ["Nothing ran yet."] * 2
    made.house.store.close()


def test_a_homeserver_that_restarts_in_the_middle_of_a_rescan_costs_no_answer(
    room: Room, homeserver: Synapse
) -> None:
    going = threading.Event()

    def slow(request: ScanRequest) -> Scan:
        going.wait(60)
        return clean(request)

    room.house.scanner.otherwise = slow
    room.alice.say(room.id, "!rescan debian:12")
    wait_until(lambda: any(room.shown(one["event"]) == "Scan debian:12 …" for one in room.so_far()))
    homeserver.stop()
    try:
        going.set()
        wait_until(lambda: room.queue.depth() == 0)
    finally:
        homeserver.start()

    assert room.said is not None
    for _ in range(3):
        room.house.clock.moment += timedelta(hours=1)
        room.said.deliver()
    assert [one["body"].splitlines()[0] for one in room.answers(2)[1:]] == [
        "debian:12: no known vulnerabilities"
    ]
    room.alice.say(room.id, "!status")
    assert room.answers(3)[2]["body"] == "Nothing ran yet."


def test_an_answer_whose_taking_was_not_seen_is_not_shown_twice(room: Room) -> None:
    event = room.alice.say(room.id, "What is up?")
    chat = MatrixChat(room.bot.url, room.bot.user, room.bot.token, [room.id])

    messages = {chat.say(f"{room.id} {event}", Answer("Done."), "the-same") for _ in range(3)}

    chat.disconnect()
    assert len(messages) == 1
    assert [one["body"] for one in room.answers(1)] == ["Done."]


def test_a_message_that_meets_a_bug_keeps_no_other_from_being_heard(people: People, tmp_path: Path) -> None:
    alice, mallory, bot = people
    room_id = alice.room(mallory.user, bot.user)
    chat = MatrixChat(bot.url, bot.user, bot.token, [room_id])
    heard: list[str] = []

    def hear(message: Message) -> None:
        heard.append(message.text)
        if message.text == "check":
            raise KeyError("a bug")

    house = shop(tmp_path)
    hearer = MatrixHearer(chat, hear, house.store, house.clock)
    hearer.connect()
    wait_until(lambda: house.store.remembered(NAME, "since") is not None)
    alice.say(room_id, "!check")
    alice.say(room_id, "!status")
    wait_until(lambda: "status" in heard)
    hearer.close()
    chat.disconnect()
    house.store.close()

    assert heard == ["check", "status"]


def test_words_from_outside_are_shown_and_call_nobody(room: Room) -> None:
    room.alice.say(room.id, f"!rescan <b>@room</b>{room.mallory.user}/x:1")

    result = room.answers(2)[-1]

    assert result["m.mentions"]["user_ids"] == [room.alice.user]
    assert "<b>" not in result["formatted_body"]
    assert "&lt;b&gt;" in result["formatted_body"] or "@room" in result["formatted_body"]


def test_a_token_that_is_not_taken_is_said_with_what_to_check(homeserver: Synapse) -> None:
    chat = MatrixChat(homeserver.url, "@refit:lab.test", "syt_wrong", [])

    with pytest.raises(ChatError, match="our token") as caught:
        chat.check()

    chat.disconnect()
    assert "matrix.homeserver" in caught.value.hint
    assert "syt_wrong" not in caught.value.message


def test_a_homeserver_that_is_down_is_an_error() -> None:
    chat = MatrixChat("http://127.0.0.1:9", "@refit:lab.test", "syt", [])

    with pytest.raises(ChatError, match="Matrix does not answer"):
        chat.check()
    chat.disconnect()
