"""How long a chat waits for its first answer while a scan runs, against the second that we promise.

python -m tests.bench.chat

Signed slash commands and webhook deliveries through the real Bolt and Starlette applications, on a real
store; eight people ask at once, while the worker is busy for all of the time. Then a whole bot with 300
projects (`tests/bench/chat_fleet.py`): how long each word takes to its answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.model.vulnerability import Scan
from bot.ports import ScanRequest
from bot.web.github import Webhooks, github_routes
from tests.bench import chat_fleet
from tests.fakes.slack_server import command
from tests.integration.chat.ways import Room, room
from tests.unit.cycle.house import clean

LIMIT_SECONDS = 1.0
PEOPLE = 8
ASKED = 25
SECRET = b"a-secret-that-is-long-enough"


def main() -> None:
    """Print one line for each way in."""
    logging.disable()  # what is queued is never begun, and says so
    with tempfile.TemporaryDirectory() as folder, room(Path(folder), socket=False) as made:
        done = threading.Event()
        _keep_busy(made, done)
        _print("slash command, answered from the store", lambda n: _slash(made, "status", n))
        _print("slash command, queued", lambda n: _slash(made, f"rescan debian:{n}", n))
        with TestClient(Starlette(routes=_routes(made))) as web:
            _print("webhook delivery, queued", lambda n: _deliver(web, n))
        done.set()
    chat_fleet.measure()


def _keep_busy(made: Room, done: threading.Event) -> None:
    def slow(request: ScanRequest) -> Scan:
        done.wait(120)
        return clean(request)

    made.house.scanner.otherwise = slow
    made.way("http").slash("rescan debian:12")


def _print(what: str, ask: Callable[[int], None]) -> None:
    def timed(number: int) -> float:
        begun = time.perf_counter()
        ask(number)
        return time.perf_counter() - begun

    with ThreadPoolExecutor(PEOPLE) as people:
        took = sorted(people.map(timed, range(PEOPLE * ASKED)))
    worst = took[int(len(took) * 0.99)]
    figures = {
        "bench": f"chat: {what}",
        "asked": len(took),
        "at_once": PEOPLE,
        "median_ms": round(statistics.median(took) * 1000, 1),
        "p99_ms": round(worst * 1000, 1),
        "p99_to_limit_of_1_s": round(worst / LIMIT_SECONDS, 3),
    }
    print(json.dumps(figures))


def _slash(made: Room, text: str, number: int) -> None:
    """Each from a person of the group: one person may not ask so often."""
    body, headers = command(text, user=f"U7{number}")
    assert made.http.post(body, headers)[0] == 200


def _routes(made: Room) -> list[Route]:
    return github_routes(Webhooks([SECRET], made.queue, made.house.store, made.house.clock))


def _deliver(web: TestClient, number: int) -> None:
    data = json.dumps(
        {
            "action": "created",
            "comment": {"id": number, "body": "/refit rescan", "user": {"login": "alice"}},
            "issue": {"number": 1, "user": {"login": "refit"}},
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "alice"},
        }
    ).encode()
    headers = {
        "x-github-event": "issue_comment",
        "x-github-delivery": f"bench-{number}",
        "x-hub-signature-256": f"sha256={hmac.new(SECRET, data, hashlib.sha256).hexdigest()}",
    }
    assert web.post("/github/webhooks", content=data, headers=headers).status_code == 202


if __name__ == "__main__":
    main()
