"""A rescan by a Slack slash command: signed, answered at once, its result in the thread."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from tests.e2e.test_serve import NEVER, Served, serving, wait_until
from tests.e2e.world import World
from tests.fakes.slack_server import SECRET, SlackServer, command

pytestmark = pytest.mark.lab

PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"
TOKEN = "xoxb-made-up"
# The archive decides how many there are.
COUNTS = r"\d+ (critical|high|medium|low)(, \d+ (high|medium|low|unknown))*"


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
    (world.folder / "token").write_text(TOKEN)
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


def messages(served: Served, slack: SlackServer, count: int) -> list[str]:
    """Texts of all messages, once there are so many."""
    wait_until(lambda: len(slack.messages) >= count, what=served.text)
    return [message["text"] for message in slack.messages]


def test_a_rescan_is_answered_at_once_and_its_result_comes_in_the_thread(
    served: Served, slack: SlackServer
) -> None:
    answer = send(served, *command("rescan backend"))

    assert answer.status_code == 200
    assert answer.text == "Scanning backend; the result comes in the thread."
    opening, result = messages(served, slack, 2)
    assert opening == "Rescan of backend, asked by <@U1>"
    assert "thread_ts" not in slack.messages[0]
    assert slack.messages[1]["thread_ts"] == "1700000000.000001"
    first, second, foot = result.splitlines()
    assert re.fullmatch(rf"backend: {COUNTS}", first)
    assert second == "First scan: nothing to compare with."
    assert foot.startswith("built from ")

    send(served, *command("rescan backend"))
    assert "Nothing changed since the last scan." in messages(served, slack, 4)[-1]
    assert TOKEN not in served.text()
    assert SECRET not in served.text()


def test_when_the_image_moved_the_thread_has_the_difference_to_the_last_scan(
    served: Served, slack: SlackServer, world: World
) -> None:
    base = world.base()
    send(served, *command(f"rescan {base.name}"))
    messages(served, slack, 2)
    base.move()

    send(served, *command(f"rescan {base.name}"))

    result = messages(served, slack, 4)[-1]
    assert re.search(rf"Fixed since the last scan: {COUNTS}: CVE-\d+-\d+ \([a-z0-9.+-]+, image\)", result)
    assert result.splitlines()[-1].startswith(f"{base.name.removesuffix(':bookworm-slim')}@sha256:")


def test_the_same_delivery_twice_runs_once(served: Served, slack: SlackServer) -> None:
    again = command("rescan backend", trigger="1700000000.again")
    send(served, *again)
    messages(served, slack, 2)

    assert send(served, *again).status_code == 200
    assert send(served, *command("rescan backend", trigger="1700000000.again")).text == ""

    send(served, *command("rescan 127.0.0.1:9/gone:1"))
    assert [text.partition(",")[0] for text in messages(served, slack, 4)][
        2
    ] == "Rescan of 127.0.0.1:9/gone:1"


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
    send(served, *command("rescan 127.0.0.1:9/gone:1"))

    failure, hint = messages(served, slack, 2)[1].splitlines()

    assert failure.startswith("That failed: ")
    assert "127.0.0.1:9" in failure
    assert hint == "Check the network and the registry's status; the next run tries again."


def test_a_typing_mistake_is_answered_with_what_was_meant(served: Served, slack: SlackServer) -> None:
    assert "Did you mean backend?" in send(served, *command("rescan backnd")).text
    assert slack.messages == []


def test_a_thread_that_cannot_be_opened_is_told_to_who_asked(served: Served, slack: SlackServer) -> None:
    slack.refuse["chat.postMessage"] = "not_in_channel"

    send(served, *command("rescan backend", response_url=f"{slack.url}respond"))

    wait_until(lambda: bool(slack.told), what=served.text)
    assert "not_in_channel" in slack.told[0]["text"]
    assert "a member of the channel" in slack.told[0]["text"]


def test_what_people_write_cannot_mention_anybody(served: Served, slack: SlackServer) -> None:
    answers = [
        send(served, *command("rescan &lt;!channel&gt;.example/x:1")).text,
        send(served, *command("rescan @here/x:1")).text,
        *messages(served, slack, 4),
    ]

    assert not any("<!" in text or "<@" in text.replace("<@U1>", "") for text in answers)


def test_a_request_of_many_megabytes_is_refused(served: Served) -> None:
    body, headers = command("x" * 2_000_000)

    assert send(served, body, headers).status_code == 413
