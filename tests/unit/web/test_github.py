"""GitHub's deliveries are taken once, and none is lost where the queue is away for a while."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.model.load import Load
from bot.ports import Task
from bot.store.sql import open_store, sqlite_url
from bot.web.app import web_app
from bot.web.github import Webhooks, github_routes
from tests.unit.cycle.house import FakeClock

SECRET = b"the-secret-of-this-month"
COMMENT = json.dumps(
    {
        "action": "created",
        "repository": {"full_name": "acme/shop"},
        "issue": {"number": 7, "user": {"login": "refit[bot]"}, "pull_request": {}},
        "comment": {"id": 1, "body": "/refit rescan", "user": {"login": "anna"}},
    }
).encode()


@dataclass
class Waiting:
    """A queue that keeps what it is given, while its database answers."""

    away: bool = False
    keys: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""

    def submit(self, task: Task, key: str) -> bool:
        del task
        if self.away:
            raise StoreError("the database does not answer")
        self.keys.append(key)
        return True

    def depth(self) -> int:
        return len(self.keys)

    def loads(self) -> dict[str, Load]:
        return {}

    def drain(self, seconds: float) -> bool:
        del seconds
        return True


@pytest.fixture
def queue() -> Waiting:
    return Waiting()


@pytest.fixture
def client(tmp_path: Path, queue: Waiting) -> TestClient:
    store = open_store(sqlite_url(tmp_path))
    webhooks = Webhooks([SECRET], queue, store, FakeClock())
    return TestClient(web_app({}, github_routes(webhooks)))


def deliver(client: TestClient, body: bytes = COMMENT, secret: bytes = SECRET) -> int:
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Event": "issue_comment",
        "X-GitHub-Delivery": "d-1",
    }
    return client.post("/github/webhooks", content=body, headers=headers).status_code


def test_a_delivery_is_queued_once(client: TestClient, queue: Waiting) -> None:
    assert [deliver(client), deliver(client)] == [202, 200]
    assert len(queue.keys) == 1


def test_a_delivery_that_the_queue_could_not_take_is_taken_when_it_comes_again(
    client: TestClient, queue: Waiting
) -> None:
    queue.away = True
    assert deliver(client) == 503

    queue.away = False
    assert deliver(client) == 202
    assert len(queue.keys) == 1


def test_what_is_not_signed_or_no_comment_queues_nothing(client: TestClient, queue: Waiting) -> None:
    assert deliver(client, secret=b"another-secret-altogether") == 401
    assert deliver(client, b"[]") == 400
    assert not queue.keys
