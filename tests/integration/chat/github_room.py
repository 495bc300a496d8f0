"""A bot that hears comments of a GitHub server, with a house of fakes behind it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.cycle.known import KnownTargets
from bot.cycle.monthly import run_cycle
from bot.cycle.parts import Parts
from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.discussion import GitHubDiscussion
from bot.forge.github import GitHubForge
from bot.ports import Task
from bot.queue.local import LocalQueue
from bot.triggers.chat.access import RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.conversation import Conversation
from bot.triggers.chat.github import NAME, GitHubChat
from bot.triggers.chat.switch import Switch
from bot.triggers.comments import Comments
from bot.triggers.polling import Polling
from bot.triggers.webhook import COMMENT
from bot.triggers.worker import Worker
from bot.web.github import Webhooks, github_routes
from tests.github_server import GitHubServer, contract
from tests.github_server.state import Comment
from tests.integration.chat.ways import shop, wait_until
from tests.unit.cycle.house import House

SECRET: Final = b"a-secret-that-is-long-enough"
PROJECT: Final = "acme/shop"
_TOKEN: Final = "ghp_refit"
_DELIVERIES: Final = itertools.count(1)


@dataclass
class GitHubRoom:
    """One project with an open pull request of ours, `#1`.

    Attributes:
        between: Called once between a comment's taking and its work.
    """

    server: GitHubServer
    house: House
    forge: GitHubForge
    queue: LocalQueue
    client: TestClient
    polling: Polling
    said: Answers
    between: Callable[[], None] | None = None

    def parts(self) -> Parts:
        return replace(self.house.parts(), forges={PROJECT: self.forge})

    def write(self, text: str, *, author: str = "alice", number: int = 1) -> Comment:
        """A person comments."""
        world, repo = self.server.world, self.server.repository(PROJECT)
        with world.lock:
            made = Comment(world.next_id(), number, world.account(author), text)
            repo.comments[made.id] = made
        return made

    def say(self, text: str, *, author: str = "alice", number: int = 1) -> Comment:
        """A person comments, and GitHub delivers it; returns once nothing is left to do."""
        made = self.write(text, author=author, number=number)
        assert self.deliver(made) in (200, 202)
        self.settle()
        return made

    def deliver(
        self, comment: Comment, *, delivery: str = "", secret: bytes = SECRET, project: str = PROJECT
    ) -> int:
        """Call the webhook with a comment; the status."""
        body = {
            "action": "created",
            "comment": {"id": comment.id, "body": comment.body, "user": {"login": comment.user.login}},
            "issue": {"number": comment.issue, "user": {"login": "refit"}},
            "repository": {"full_name": project},
            "sender": {"login": comment.user.login},
        }
        return self.post("issue_comment", body, delivery=delivery, secret=secret)

    def post(self, event: str, body: Any, *, delivery: str = "", secret: bytes = SECRET) -> int:
        data = json.dumps(body).encode()
        headers = {
            "x-github-event": event,
            "x-github-delivery": delivery or f"delivery-{next(_DELIVERIES)}",
            "x-hub-signature-256": f"sha256={hmac.new(secret, data, hashlib.sha256).hexdigest()}",
        }
        status: int = self.client.post("/github/webhooks", content=data, headers=headers).status_code
        return status

    def settle(self) -> None:
        wait_until(lambda: self.queue.depth() == 0)

    def answers(self) -> list[str]:
        """Our comments, as they are now."""
        return [
            one.body for one in self.server.repository(PROJECT).comments.values() if one.user.login == "refit"
        ]

    def signs(self, comment: Comment) -> list[str]:
        """The reactions under a comment."""
        return [one.content for one in comment.reactions]

    def pulls(self) -> list[tuple[int, str]]:
        """Number and state of each pull request."""
        return [(issue.number, issue.state) for issue, _ in self.server.repository(PROJECT).pulls()]


@contextmanager
def github_room(folder: Path) -> Iterator[GitHubRoom]:
    """A room whose monthly cycle has run."""
    house = shop(folder)
    connection_of: dict[str, float] = {"seconds_between_writes": 0, "pause": 0.01}
    with GitHubServer(folder / "github", contract.fetched()) as server:
        files = house.forge.files[PROJECT]
        server.create_repository(PROJECT, dict(files), roles={"refit": "write", "alice": "write"})
        for login in ("alice", "mallory"):
            server.world.account(login)
        server.create_token(value=_TOKEN)
        connection = Connection(server.api, **connection_of)  # type: ignore[arg-type]  # a table of settings
        forge = GitHubForge(folder / "state", connection, TokenAccess(connection, _TOKEN))
        access = TokenAccess(connection, _TOKEN)
        discussion = GitHubDiscussion(access)
        with heard(house, forge, discussion, server) as room:
            run_cycle(room.parts())
            yield room
        forge.disconnect()
        access.disconnect()
    house.store.close()
    server.assert_contract()


@contextmanager
def heard(
    house: House, forge: GitHubForge, discussion: GitHubDiscussion, server: GitHubServer
) -> Iterator[GitHubRoom]:
    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        yield replace(house.parts(), forges={PROJECT: forge})

    def take(parts: Parts, task: Task) -> None:
        comments(parts, task)
        between, room.between = room.between, None
        if between is not None:
            between()

    answers = Answers(Switch({NAME: GitHubChat(discussion)}), house.store, house.clock)
    conversation = Conversation(answers, lambda *_: "")
    queue = LocalQueue(Worker(parts, conversation, {COMMENT: take}))
    limit, known = RateLimit(5, house.store, house.clock), KnownTargets(house.store)
    comments = Comments(discussion, limit, lambda _: queue, known, answers)
    polling = Polling(discussion, queue, house.store, house.clock, lambda _: True)
    routes = github_routes(Webhooks([SECRET], queue, house.store, house.clock))
    with TestClient(Starlette(routes=routes)) as client:
        room = GitHubRoom(server, house, forge, queue, client, polling, answers)
        yield room
    queue.drain(10)
