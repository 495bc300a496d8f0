"""The two ways that Slack reaches us, spoken to in the same words by the tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.model.answer import Answer
from bot.queue.local import LocalQueue
from bot.store.tables import AUDIT
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.conversation import Conversation
from bot.triggers.chat.desk import Desk
from bot.triggers.chat.grammar import Word
from bot.triggers.chat.hearers import SlackHearer
from bot.triggers.chat.slack import SlackChat, client
from bot.triggers.chat.slack_app import NAME, SlackEvents, slack_app, socket_mode
from bot.triggers.chat.switch import OneChat, Switch
from bot.triggers.worker import Worker
from bot.web.slack import slack_routes
from tests.fakes.slack_server import (
    SECRET,
    SlackServer,
    mention,
    pressed,
    signed,
    signed_button,
    signed_json,
    slash,
    text_of,
)
from tests.unit.cycle.house import House, outdated

APP_TOKEN: Final = "xapp-made-up"
BOT_TOKEN: Final = "xoxb-made-up"
A_MINUTE: Final = 20


class Way(Protocol):
    """How Slack sends."""

    def slash(self, text: str, **who: str) -> dict[str, Any]:
        """A slash command; what it was answered with at once."""
        ...

    def mention(self, text: str, **who: str) -> None:
        """A mention."""
        ...

    def press(self, message: dict[str, Any], label: str, **who: str) -> None:
        """A pressed button."""
        ...


@dataclass
class Http:
    """Signed requests to our address."""

    client: TestClient

    def slash(self, text: str, **who: str) -> dict[str, Any]:
        form = urlencode(slash(text, **who)).encode()
        answer = self.post(*signed(form, "application/x-www-form-urlencoded"))
        return answer[1]

    def mention(self, text: str, **who: str) -> None:
        assert self.post(*signed_json(mention(text, **who)))[0] == 200

    def press(self, message: dict[str, Any], label: str, **who: str) -> None:
        assert self.post(*signed_button(pressed(message, label, **who)))[0] == 200

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        answer = self.client.post("/slack/events", content=body, headers=headers)
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.status_code, answer.json() if is_json and answer.content else {}


@dataclass
class Socket:
    """Envelopes over the connection that we opened."""

    slack: SlackServer

    def slash(self, text: str, **who: str) -> dict[str, Any]:
        return self.slack.send("slash_commands", dict(slash(text, **who)))

    def mention(self, text: str, **who: str) -> None:
        self.slack.send("events_api", mention(text, **who))

    def press(self, message: dict[str, Any], label: str, **who: str) -> None:
        self.slack.send("interactive", pressed(message, label, **who))


@dataclass
class Room:
    """A bot in a house of fakes, with a real Slack client and the Slack server of the tests."""

    slack: SlackServer
    house: House
    queue: LocalQueue
    http: Http
    socket: Socket
    answers: Answers
    refuse: dict[str, str] = field(default_factory=dict)

    def way(self, name: str) -> Way:
        return self.http if name == "http" else self.socket

    def texts(self, count: int) -> list[str]:
        """What people read in all messages, once there are so many and nothing is left to do."""
        wait_until(lambda: len(self.slack.messages) >= count and self.queue.depth() == 0)
        return [text_of(one) for one in self.slack.messages]

    def audit(self) -> list[tuple[str, str]]:
        with self.house.store.reading() as reading:
            rows = reading.rows(AUDIT, "ORDER BY id")
        return [(row["who"], row["what"]) for row in rows]


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def room(folder: Path, *, socket: bool = True) -> Iterator[Room]:
    """A bot that is connected both ways, or by HTTP only; target `shop` has a base that moved."""
    made = shop(folder)
    with SlackServer() as slack:
        slack.groups["S1"] = ["U7", *(f"U7{number}" for number in range(1000))]
        chat = SlackChat(client(BOT_TOKEN, slack.url), groups=("S1",))
        refuse: dict[str, str] = {}
        answers = Answers(Switch({NAME: chat}), made.store, made.clock)
        conversation = Conversation(answers, lambda project, _: refuse.get(project, ""))
        queue = LocalQueue(Worker(made.opened, conversation))
        app = slack_app(
            client(BOT_TOKEN, slack.url),
            SlackEvents(desk(made, chat, queue, answers)),
            signing_secret=SECRET,
        )
        hearer = SlackHearer(chat, socket_mode(app, APP_TOKEN, slack.url) if socket else None)
        with connected(hearer), TestClient(Starlette(routes=slack_routes(app))) as web:
            wait_until(lambda: bool(slack.sockets) or not socket)
            yield Room(slack, made, queue, Http(web), Socket(slack), answers, refuse)
        queue.drain(10)
    made.store.close()


def desk(made: House, chat: SlackChat, queue: LocalQueue, answers: Answers) -> Desk:
    return Desk(
        chat=OneChat(NAME, chat),
        access=Access(frozenset({"U1"}), frozenset({"C1"}), chat.members),
        limit=RateLimit(A_MINUTE, made.store, made.clock),
        queues=lambda _: queue,
        store=made.store,
        clock=made.clock,
        targets=lambda: ("shop", "web"),
        tell={Word.STATUS: lambda: Answer("Nothing ran yet.")},
        answers=answers,
    )


def shop(folder: Path) -> House:
    made = outdated(folder)
    made.registry.push("debian:12")
    return made


@contextmanager
def connected(hearer: SlackHearer) -> Iterator[None]:
    hearer.connect()
    try:
        yield
    finally:
        hearer.close()
