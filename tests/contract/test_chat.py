"""One suite for the `Chat` port: the fake, Slack, comments on GitHub and Matrix, each on its own server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import ChatError
from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.discussion import GitHubDiscussion
from bot.model.answer import Answer, Button
from bot.ports import Chat
from bot.triggers.chat.github import GitHubChat
from bot.triggers.chat.matrix import MatrixChat
from bot.triggers.chat.slack import SlackChat, client
from bot.triggers.chat.switch import Switch
from tests.fakes.chat import FakeChat
from tests.fakes.slack_server import SlackServer, text_of
from tests.github_server import GitHubServer, contract
from tests.github_server.state import Issue
from tests.synapse import Synapse

FULL = Answer(
    "backend: 1 critical",
    ("New since the last scan: CVE-2026-1 (openssl, image)",),
    (("Severity", "Now"), ("Critical", "1")),
    "built from 1f0c2a9be377 · 3.2 s",
    (Button("Rescan", command="rescan backend"),),
)


_numbers = itertools.count(1)


@dataclass
class Place:
    """A chat on its server.

    Attributes:
        chat: The chat.
        where: Where threads are opened.
        read: What people read there, one text a message.
        nowhere: A thread that it does not take.
    """

    chat: Chat
    where: str
    read: Callable[[], list[str]]
    nowhere: str


@pytest.fixture
def fake() -> Place:
    chat = FakeChat()

    def read() -> list[str]:
        shown = {f"{thread}.{number}": one for number, (thread, one) in enumerate(chat.said, start=1)}
        edited = dict(chat.edits)
        return [edited.get(name, "\n".join([one.headline, *one.lines])) for name, one in shown.items()]

    return Place(chat, "C1", read, nowhere="down")


@pytest.fixture
def slack() -> Iterator[Place]:
    with SlackServer() as server:
        chat = SlackChat(client("xoxb-made-up", server.url))
        yield Place(chat, "C1", lambda: [text_of(one) for one in server.messages], nowhere="C9/1")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Place]:
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        repo = server.create_repository("acme/shop", {"a": "b"}, roles={"refit": "write"})
        repo.issues[1] = Issue(1, 1, "Dashboard", "", server.world.account("alice"))
        access = TokenAccess(Connection(server.api, seconds_between_writes=0), server.create_token())
        chat = GitHubChat(GitHubDiscussion(access))
        read = repo.comments.values
        yield Place(chat, "acme/shop/1", lambda: [one.body for one in read()], nowhere="acme/shop/99/x")
        access.disconnect()
    server.assert_contract()


@pytest.fixture
def matrix(homeserver: Synapse) -> Iterator[Place]:
    number = next(_numbers)
    alice, bot = (homeserver.register(f"contract-{name}-{number}") for name in ("alice", "refit"))
    room = alice.room(bot.user)
    chat = MatrixChat(bot.url, bot.user, bot.token, [room])
    chat.check()

    def read() -> list[str]:
        contents = {one["event_id"]: one["content"] for one in alice.messages(room)}
        edits = {
            one["m.relates_to"]["event_id"]: one["m.new_content"]["body"]
            for one in contents.values()
            if "m.new_content" in one
        }
        own = {event: one for event, one in contents.items() if "m.new_content" not in one}
        return [edits.get(event, one["body"]) for event, one in own.items()]

    yield Place(chat, room, read, nowhere="!nowhere:lab.test $x")
    chat.disconnect()


@pytest.fixture(params=["fake", "slack", "github", "matrix"])
def place(request: pytest.FixtureRequest) -> Place:
    made: Place = request.getfixturevalue(request.param)
    return made


def test_a_thread_is_opened_answered_and_a_message_replaced(place: Place) -> None:
    switch = Switch({"one": place.chat})
    thread = switch.open(f"one:{place.where}", Answer("Rescan of backend"))
    message = switch.say(thread, Answer("Waiting for its turn …"))
    switch.edit(thread, message, Answer("Done in 3.2 s."))
    switch.say(thread, FULL)

    shown = "\n".join(place.read())
    assert thread.startswith("one:")
    assert "backend: 1 critical" in shown
    assert "New since the last scan" in shown
    assert "Waiting for its turn" not in shown


def test_what_a_chat_does_not_take_is_an_error_with_words(place: Place) -> None:
    with pytest.raises(ChatError, match=r"\w+"):
        place.chat.say(place.nowhere, FULL)
    with pytest.raises(ChatError, match="speaks no"):
        Switch({"one": place.chat}).say("another:C1/1", FULL)
