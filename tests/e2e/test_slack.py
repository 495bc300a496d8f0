"""A message in Slack leads to a real rescan and a threaded answer, in the real process, both ways."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from tests.e2e.machines import NEVER
from tests.e2e.serving import Served, serving, wait_until
from tests.e2e.world import World
from tests.fakes.slack_server import SECRET, SlackServer, command, mention, text_of

pytestmark = pytest.mark.lab

PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"
BOT_TOKEN, APP_TOKEN = "xoxb-made-up", "xapp-made-up"
# The archive decides how many there are.
COUNTS = r"\d+ (critical|high|medium|low)(, \d+ (high|medium|low|unknown))*"


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def served(world: World, slack: SlackServer) -> Iterator[Served]:
    """A bot whose target `backend` has a base of its own that has moved, waiting for commands only."""
    base = world.base()
    targets = [{"name": "backend", "dockerfile": "Dockerfile"}]
    world.project({"Dockerfile": PLAIN.format(base=base.pinned)}, targets=targets)
    base.move()
    secrets = {"signing_secret": SECRET, "bot_token": BOT_TOKEN, "app_token": APP_TOKEN}
    for name, text in secrets.items():
        (world.folder / name).write_text(text)
    world.settings["schedule"] = NEVER
    world.settings["slack"] = {
        **{name: {"file": str(world.folder / name)} for name in secrets},
        "users": ["U1"],
        "channels": ["C1"],
        "url": slack.url,
    }
    with serving(world) as running:
        yield running


def test_who_asked_a_bot_that_is_killed_in_the_middle_hears_of_it_once_from_the_next(
    served: Served, slack: SlackServer, world: World
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a registry that takes calls, and never answers
        silent.settimeout(120)
        body, headers = command(f"rescan 127.0.0.1:{silent.getsockname()[1]}/x:1")
        httpx.post(f"{served.url}/slack/events", content=body, headers=headers, timeout=30)
        silent.accept()
        served.process.kill()
        served.process.wait(30)
    before = len(slack.messages)

    with serving(world, number=2) as again:
        wait_until(lambda: len(slack.messages) > before, what=again.text)
        assert again.stop() == 0
    with serving(world, number=3) as third:
        assert third.stop() == 0

    assert [text_of(one).splitlines()[0] for one in slack.messages[1:]] == [
        "Stopped.",
        "I was stopped in the middle of this: please ask again.",
    ]


def test_a_slash_command_leads_to_a_real_rescan_with_an_offer_in_its_thread(
    served: Served, slack: SlackServer
) -> None:
    body, headers = command("rescan backend")
    answer = httpx.post(f"{served.url}/slack/events", content=body, headers=headers, timeout=30)

    assert text_of(answer.json()) == "One moment; the answer comes in the thread."
    wait_until(lambda: len(slack.messages) >= 3, what=served.text)
    opening, progress, result = (text_of(one) for one in slack.messages[:3])
    assert opening == "Rescan of backend\nasked by <@U1>"
    assert progress.startswith("Done in ")
    assert re.match(rf"backend: {COUNTS}\nFirst scan: nothing to compare with.\n", result)
    assert re.search(rf"A newer \S+ \(.*\) fixes {COUNTS}.*: I can open the pull request", result)
    assert "built from " in result
    assert slack.thread() == slack.messages[1:3]
    assert not {BOT_TOKEN, APP_TOKEN, SECRET} & set(re.split(r"\W+", served.text()))


def test_a_mention_in_socket_mode_gets_the_difference_to_the_last_scan(
    served: Served, slack: SlackServer, world: World
) -> None:
    base = world.base()
    wait_until(lambda: bool(slack.sockets), what=served.text)
    slack.send("events_api", mention(f"rescan `{base.name}`", ts="1700000009.000001"))
    wait_until(lambda: len(slack.messages) >= 2, what=served.text)
    base.move()

    while not answered(served, slack, f"rescan {base.name}"):
        pass  # the first one has been answered, and is still being put away

    result = text_of(slack.messages[-1])
    assert re.search(rf"Fixed since the last scan: {COUNTS}: CVE-\d+-\d+ \([a-z0-9.+-]+, image\)", result)
    assert "Severity | Now | Fixed | New" in result


def answered(served: Served, slack: SlackServer, text: str) -> bool:
    """Ask once more in the thread; False where the bot is still at the same."""
    before, busy = len(slack.messages), "being done already"
    slack.send("events_api", mention(text, thread_ts="1700000009.000001"))

    def told() -> bool:
        new = slack.messages[before:]
        return len(new) >= 2 or (len(new) == 1 and busy in text_of(new[0]))

    wait_until(told, what=served.text)
    return busy not in text_of(slack.messages[before])
