"""A rescan by a Slack slash command: signed, answered at once, its result in the thread."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from tests.e2e.test_serve import Served, serving, wait_until
from tests.e2e.world import World
from tests.fakes.slack_server import SECRET, SlackServer, command

pytestmark = pytest.mark.lab

PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"
NEVER = dict.fromkeys(("monthly", "observe", "quarterly"), "0 0 29 2 *")


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def served(world: World, slack: SlackServer) -> Iterator[Served]:
    """A bot whose target `backend` has a base of its own, waiting for commands only."""
    base = world.base()
    targets = [{"name": "backend", "dockerfile": "Dockerfile"}]
    world.project({"Dockerfile": PLAIN.format(base=base.pinned)}, targets=targets)
    (world.folder / "secret").write_text(SECRET)
    (world.folder / "token").write_text("xoxb-made-up")
    world.settings["schedule"] = NEVER
    world.settings["slack"] = {
        "signing_secret": {"file": str(world.folder / "secret")},
        "bot_token": {"file": str(world.folder / "token")},
        "users": ["U1"],
        "channels": ["C1"],
        "url": slack.url,
    }
    with serving(world) as running:
        yield running


def send(served: Served, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{served.url}/slack/commands", content=body, headers=headers, timeout=30)


def audit(world: World) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(world.state / "refit.sqlite3")) as store:
        return store.execute("select who, what from audit order by id").fetchall()


def test_a_rescan_is_answered_at_once_and_its_result_comes_in_the_thread(
    served: Served, slack: SlackServer
) -> None:
    answer = send(served, *command("rescan backend"))

    assert answer.status_code == 200
    assert "Scanning backend" in answer.text
    wait_until(lambda: len(slack.messages) == 2, what=served.log.read_text)
    opening, result = slack.messages
    assert "asked by <@U1>" in opening["text"]
    assert result["thread_ts"] == "1700000000.000001"
    assert result["text"].startswith("backend: 1 critical, 3 high, 8 medium, 26 low")
    assert "First scan: nothing to compare with." in result["text"]

    send(served, *command("rescan backend"))
    wait_until(lambda: len(slack.messages) == 4, what=served.log.read_text)
    assert "Nothing changed since the last scan." in slack.messages[-1]["text"]


REFUSED = {
    "a bad signature": {"secret": "not-the-secret"},
    "a ten-minute-old command": {"age": 600},
}


@pytest.mark.parametrize("how", REFUSED.values(), ids=REFUSED.keys())
def test_what_slack_did_not_just_sign_is_refused(
    served: Served, slack: SlackServer, how: dict[str, Any]
) -> None:
    assert send(served, *command("rescan backend", **how)).status_code == 401
    assert slack.messages == []


@pytest.mark.parametrize("who", [{"user": "U9"}, {"channel": "C9"}], ids=["user", "channel"])
def test_who_is_not_listed_gets_a_polite_no_and_a_line_in_the_audit_log(
    served: Served, slack: SlackServer, world: World, who: dict[str, Any]
) -> None:
    answer = send(served, *command("rescan backend", **who))

    assert "Sorry" in answer.text
    assert slack.messages == []
    assert audit(world) == [(f"slack:{who.get('user', 'U1')}", "refused")]


def test_what_goes_wrong_is_told_in_the_thread(served: Served, slack: SlackServer) -> None:
    assert "Did you mean backend?" in send(served, *command("rescan backnd")).text

    send(served, *command("rescan 127.0.0.1:9/gone:1"))

    wait_until(lambda: len(slack.messages) == 2, what=served.log.read_text)
    assert "That failed" in slack.messages[1]["text"]


def test_what_people_write_cannot_mention_anybody(served: Served, slack: SlackServer) -> None:
    send(served, *command("rescan <!channel>.example/x:1"))

    wait_until(lambda: len(slack.messages) == 2, what=served.log.read_text)
    assert not any("<!channel>" in message["text"] for message in slack.messages)


def test_a_request_of_many_megabytes_is_refused(served: Served) -> None:
    body, headers = command("x" * 2_000_000)

    assert send(served, body, headers).status_code == 413
