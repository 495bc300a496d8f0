"""Slack, by real slack-bolt in both modes: answered at once, worked on in the thread, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.cycle.bases import platform_image
from bot.cycle.dashboard import DIGEST as DASHBOARD
from bot.errors import ChatError
from bot.model import marker
from bot.model.reference import Reference
from bot.model.run import Publication, PublicationKind, PublicationState
from bot.model.target import LINUX_AMD64, Project
from bot.model.vulnerability import Scan, Severity
from bot.ports import ScanRequest
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.hearers import SlackHearer
from bot.triggers.chat.slack import SlackChat, client
from bot.triggers.chat.slack_app import NAME, socket_mode
from bot.triggers.chat.switch import Switch
from tests.fakes.slack_server import mention, signed_json, text_of
from tests.integration.chat.ways import A_MINUTE, APP_TOKEN, BOT_TOKEN, Room, Way, room, wait_until
from tests.unit.cycle.house import clean, scan, vulnerability

BOTH = ("http", "socket")
SORRY = "Sorry, I am not allowed to take commands from you here."


@pytest.fixture(params=BOTH)
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def slack_room(tmp_path: Path, mode: str) -> Iterator[Room]:
    with room(tmp_path, socket=mode == "socket") as made:
        yield made


@pytest.fixture
def way(mode: str, slack_room: Room) -> Way:
    return slack_room.way(mode)


def said(answer: dict[str, object]) -> str:
    return text_of(answer) if answer else ""


def test_a_slash_command_is_answered_at_once_and_its_result_comes_in_the_thread(
    slack_room: Room, way: Way
) -> None:
    answer = way.slash("rescan debian:12")

    assert said(answer) == "One moment; the answer comes in the thread."
    opening, progress, result = slack_room.texts(3)
    assert opening.splitlines() == ["Rescan of debian:12", "asked by <@U1>"]
    assert progress.startswith("Done in ")
    assert result.splitlines()[:2] == [
        "debian:12: no known vulnerabilities",
        "First scan: nothing to compare with.",
    ]
    assert slack_room.slack.thread() == slack_room.slack.messages[1:]


def test_a_mention_is_answered_in_its_thread(slack_room: Room, way: Way) -> None:
    way.mention("rescan `debian:12`", ts="1700000001.000001")

    texts = slack_room.texts(2)

    assert texts[1].startswith("debian:12: no known vulnerabilities")
    assert "asked by <@U1>" in texts[1]
    assert {one["thread_ts"] for one in slack_room.slack.messages} == {"1700000001.000001"}


def test_a_mention_inside_a_thread_is_answered_there(slack_room: Room, way: Way) -> None:
    way.mention("help", thread_ts="1699999999.000009")

    (text,) = slack_room.texts(1)

    assert "rescan <target|image|all>" in text
    assert slack_room.slack.messages[0]["thread_ts"] == "1699999999.000009"


def test_the_same_delivery_twice_and_one_that_was_edited_run_once(slack_room: Room, way: Way) -> None:
    way.slash("rescan debian:12", trigger="17.again")
    slack_room.texts(3)

    assert way.slash("rescan debian:12", trigger="17.again") == {}
    way.mention("status", event="Ev1", ts="1700000001.000001")
    way.mention("status", event="Ev1", ts="1700000001.000001")
    way.mention("report", event="Ev2", ts="1700000001.000001", edited="1700000002.000000")
    way.mention("help", event="Ev3", ts="1700000001.000003")

    # Mentions are handled side by side: which answer comes first is chance.
    assert {text.splitlines()[0] for text in slack_room.texts(5)[3:]} == {
        "Nothing ran yet.",
        "This is what I can do:",
    }


@pytest.mark.parametrize("mode", ["socket"])
def test_a_retry_of_an_event_that_was_heard_does_nothing(slack_room: Room) -> None:
    body = mention("status", event="Ev9")
    assert slack_room.http.post(*signed_json(body))[0] == 200
    assert slack_room.http.post(*signed_json(body, retry=1))[0] == 200
    slack_room.slack.send("events_api", body, retry=2)
    slack_room.http.mention("help")

    assert len(slack_room.texts(2)) == 2


FORGED = {"a bad signature": {"secret": "not-the-secret"}, "ten minutes old": {"age": 600}}


@pytest.mark.parametrize("mode", ["http"])
@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_what_slack_did_not_just_sign_is_refused(slack_room: Room, how: dict[str, object]) -> None:
    assert slack_room.http.post(*signed_json(mention("status"), **how))[0] == 401
    assert slack_room.slack.messages == []
    assert slack_room.audit() == []


@pytest.mark.parametrize("who", [{"user": "U9"}, {"channel": "C9"}], ids=["user", "channel"])
def test_who_is_not_listed_gets_a_polite_no_and_an_audit_line(
    slack_room: Room, way: Way, who: dict[str, str]
) -> None:
    assert "Sorry" in said(way.slash("rescan debian:12", **who))
    assert slack_room.audit() == [(f"slack:{who.get('user', 'U1')}", "refused")]
    assert slack_room.slack.messages == []


def test_a_member_of_a_listed_group_is_answered(way: Way) -> None:
    assert said(way.slash("status", user="U7")) == "Nothing ran yet."


@pytest.mark.parametrize("mode", ["http"])
def test_a_slack_that_has_enough_for_the_moment_costs_no_answer(slack_room: Room) -> None:
    slack_room.slack.busy = 2

    slack_room.http.mention("status")

    assert slack_room.texts(1) == ["Nothing ran yet."]
    assert slack_room.slack.busy == 0


@pytest.mark.parametrize("mode", ["http"])
def test_a_slack_that_wants_quiet_for_an_hour_holds_nothing_up_and_gets_the_answer_once(
    slack_room: Room,
) -> None:
    slack_room.house.scanner.otherwise = lambda request: _busy_from_now_on(slack_room, request)
    slack_room.http.slash("rescan debian:12")
    wait_until(lambda: slack_room.slack.busy == 98 and slack_room.queue.depth() == 0)
    slack_room.answers.deliver()
    assert slack_room.slack.busy == 98, "it is not asked before its time"

    slack_room.slack.busy = 0
    restarted = SlackChat(client(BOT_TOKEN, slack_room.slack.url))
    answers = Answers(Switch({NAME: restarted}), slack_room.house.store, slack_room.house.clock)
    for _ in range(3):
        slack_room.house.clock.moment += timedelta(hours=1)
        answers.deliver()

    assert [one.splitlines()[0] for one in slack_room.texts(3)] == [
        "Rescan of debian:12",
        "Scan debian:12 …",
        "debian:12: no known vulnerabilities",
    ]


def _busy_from_now_on(slack_room: Room, request: ScanRequest) -> Scan:
    slack_room.slack.busy, slack_room.slack.pause = 99, 3600
    return clean(request)


@pytest.mark.parametrize("mode", ["socket"])
def test_a_socket_that_drops_in_the_middle_of_a_rescan_costs_no_answer_and_gives_no_second(
    slack_room: Room,
) -> None:
    going = threading.Event()

    def slow(request: ScanRequest) -> Scan:
        going.wait(60)
        return clean(request)

    slack_room.house.scanner.otherwise = slow
    asked = mention("rescan debian:12", event="Ev77", ts="1700000077.000001")
    slack_room.slack.send("events_api", asked)
    wait_until(lambda: "Scan debian:12 …" in map(text_of, slack_room.slack.messages))
    slack_room.slack.sockets[-1].close()
    wait_until(lambda: len(slack_room.slack.sockets) == 2, seconds=60)

    slack_room.slack.send("events_api", asked, retry=1)  # Slack does not know whether it was heard
    going.set()
    texts = slack_room.texts(2)
    slack_room.slack.send("events_api", mention("status"))

    assert slack_room.texts(3)[:2] == texts
    assert [text.splitlines()[0] for text in slack_room.texts(3)[1:]] == [
        "debian:12: no known vulnerabilities",
        "Nothing ran yet.",
    ]


def test_another_bot_is_not_answered(slack_room: Room, way: Way) -> None:
    way.mention("status", bot_id="B9")
    way.mention("status")

    assert len(slack_room.texts(1)) == 1


def test_who_is_not_listed_cannot_make_us_fill_the_channel(slack_room: Room, way: Way) -> None:
    answers = [way.slash("status", user="U9") for _ in range(A_MINUTE + 3)]

    assert [said(one) for one in answers if one.get("blocks")] == [SORRY] * A_MINUTE
    assert slack_room.audit() == [("slack:U9", "refused")] * A_MINUTE


def test_what_failed_is_not_left_as_if_it_went_on(slack_room: Room, way: Way) -> None:
    way.slash("rescan nosuch.example/x:1")

    progress, result = slack_room.texts(3)[1:]
    assert progress.startswith("Failed after ")
    assert result.startswith("That failed: ")


def test_who_asks_too_often_waits_and_others_do_not(slack_room: Room, way: Way) -> None:
    answers = [said(way.slash("status")) for _ in range(A_MINUTE + 1)]

    assert answers[-1] == "That was often. Please ask again in 60 seconds."
    assert set(answers[:-1]) == {"Nothing ran yet."}
    assert said(way.slash("status", user="U7")) == "Nothing ran yet."

    slack_room.house.clock.moment += timedelta(seconds=61)
    assert said(way.slash("status")) == "Nothing ran yet."


def test_while_a_scan_runs_others_are_answered_and_the_progress_is_edited(slack_room: Room, way: Way) -> None:
    going = threading.Event()

    def slow(request: ScanRequest) -> Scan:
        going.wait(120)
        return clean(request)

    slack_room.house.scanner.otherwise = slow
    way.slash("rescan debian:12")
    wait_until(lambda: "Scan debian:12 …" in map(text_of, slack_room.slack.messages))

    assert said(way.slash("status")) == "Nothing ran yet."
    way.mention("rescan debian:12")
    busy = "That is being done already; its own thread has the result."
    wait_until(lambda: busy in map(text_of, slack_room.slack.messages))
    going.set()

    assert slack_room.texts(4)[1].startswith("Done in ")


def test_a_rescan_offers_the_pull_request_that_fixes_something_and_a_button_opens_it(
    slack_room: Room, way: Way
) -> None:
    old_and_new(slack_room)
    way.slash("rescan shop")

    result = slack_room.texts(3)[2]
    assert "acme/shop#shop: 1 critical" not in result
    assert result.startswith("shop: 1 critical")
    assert "Severity | Now\nCritical | 1\n" in result
    assert "A newer debian:bookworm-slim" in result
    assert "fixes 1 critical: I can open the pull request." in result
    assert "[Open PR]\n[Rescan]\n[Snooze 14 days]" in result

    way.press(slack_room.slack.messages[2], "Open PR")

    opened = slack_room.texts(5)[4]
    assert "shop: pass, memory://acme/shop/pull/1" in opened
    assert slack_room.slack.messages[4]["thread_ts"] == slack_room.slack.messages[0]["ts"]

    way.slash("rescan shop")
    assert "its pull request is open" in slack_room.texts(8)[7]


def old_and_new(slack_room: Room) -> None:
    """Let scans tell the old base from the new one."""
    image = platform_image(slack_room.house.parts(), Reference.parse("debian:bookworm-slim"), LINUX_AMD64)
    bad = vulnerability("CVE-2026-0001", Severity.CRITICAL)

    def by_base(request: ScanRequest) -> Scan:
        return scan(request.subject) if request.digest == image.digest else scan(request.subject, bad)

    slack_room.house.scanner.otherwise = by_base


def test_a_snooze_by_button_holds_the_update_back_and_check_shows_it(slack_room: Room, way: Way) -> None:
    old_and_new(slack_room)
    slack_room.house.run()
    way.slash("snooze debian:bookworm-slim 14 release freeze")

    wait_until(lambda: len(slack_room.slack.edits) == 1)
    assert "debian:bookworm-slim is snoozed until 2026-12-08 in acme/shop." in slack_room.texts(2)[1]
    (snooze,) = slack_room.house.store.snoozes(slack_room.house.clock.now())
    assert (snooze.who, snooze.reason) == ("slack:U1", "release freeze")

    way.slash("check")
    checked = slack_room.texts(5)[4]
    assert "All projects: 1 waiting" in checked
    assert "snoozed until 2026-12-08: release freeze (slack:U1)" in checked


@pytest.mark.parametrize("text", ["snooze debian:bookworm-slim 14 release freeze", "open shop"])
def test_a_chat_gives_no_power_that_github_would_not(slack_room: Room, way: Way, text: str) -> None:
    slack_room.house.run(dry_run=False)
    slack_room.refuse["acme/shop"] = "on GitHub, octocat may not write there."
    pulls = len(slack_room.house.store.publications())

    way.slash(text)

    answer = slack_room.texts(3)[2]
    assert "I may not do that for you in acme/shop: on GitHub, octocat may not write there." in answer
    assert slack_room.house.store.snoozes(slack_room.house.clock.now()) == ()
    assert len(slack_room.house.store.publications()) == pulls


def test_everything_is_rescanned_one_row_a_target_and_a_failure_costs_the_others_nothing(
    slack_room: Room, way: Way
) -> None:
    old_and_new(slack_room)
    slack_room.house.forge.files["acme/shop"]["broken/Dockerfile"] = b"FROM gone:1\n"

    way.slash("rescan all")

    result = slack_room.texts(3)[2]
    assert "scanned" in result.splitlines()[0]
    assert "acme/shop#shop | 1 | 0 | 0 | 0" in result or "shop | 1 | 0 | 0 | 0" in result
    assert "acme/shop#shop: A newer debian:bookworm-slim" in result
    assert "fixes 1 critical: I can open the pull request." in result

    way.press(slack_room.slack.messages[2], "Open PR: shop")

    assert "shop: pass, memory://acme/shop/pull/1" in slack_room.texts(5)[4]


@pytest.mark.parametrize("mode", ["http"])
def test_a_project_that_cannot_be_read_is_told_when_everything_is_rescanned(slack_room: Room) -> None:
    slack_room.house.projects += (Project("acme/gone"),)

    slack_room.http.slash("rescan all")

    result = slack_room.texts(3)[2]
    assert result.startswith("1 target scanned, 1 failed")
    assert "acme/gone: " in result


def test_a_thread_that_cannot_be_opened_is_told_to_who_asked(slack_room: Room, way: Way) -> None:
    slack_room.slack.refuse["chat.postMessage"] = "not_in_channel"

    way.slash("rescan debian:12", response_url=f"{slack_room.slack.url}respond")

    wait_until(lambda: bool(slack_room.slack.told))
    text = text_of(slack_room.slack.told[0])
    assert "not_in_channel" in text
    assert "a member of the channel" in text


@pytest.mark.parametrize("text", ["rescan &lt;!channel&gt;.example/x:1", "rescan @here/x:1", "check <!here>"])
def test_what_people_write_cannot_mention_anybody(slack_room: Room, way: Way, text: str) -> None:
    answer = way.slash(text)
    if said(answer).startswith("One moment"):
        slack_room.texts(3)

    fallbacks = [answer["text"], *(one["text"] for one in slack_room.slack.messages)]
    marked = [
        part["text"]
        for one in slack_room.slack.messages
        for block in one["blocks"]
        if block["type"] == "context"
        for part in block["elements"]
        if part["type"] == "mrkdwn"
    ]
    assert not any("<!" in one or "<@" in one for one in fallbacks)
    assert set(marked) <= {"asked by <@U1>"}


@pytest.mark.parametrize("mode", ["http"])
def test_an_app_token_that_slack_does_not_take_is_said_with_what_to_check(slack_room: Room) -> None:
    slack_room.slack.refuse["apps.connections.open"] = "invalid_auth"
    web = client(BOT_TOKEN, slack_room.slack.url)
    app = App(
        client=web, signing_secret="x", authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None)
    )
    hearer = SlackHearer(SlackChat(web), socket_mode(app, APP_TOKEN, slack_room.slack.url))

    with pytest.raises(ChatError, match="invalid_auth") as caught:
        hearer.connect()

    assert "connections:write" in caught.value.hint


def test_a_rescan_links_to_where_github_shows_how_the_target_stands(slack_room: Room, way: Way) -> None:
    url = "https://github.com/acme/shop/issues/"
    for number, image, digest in (
        (1, "size-report-2026Q3", "2026Q3"),
        (2, "target web", "x"),
        (3, "dashboard", DASHBOARD),
    ):
        slot = marker.slot("acme/shop", image, [])
        slack_room.house.store.save_publication(
            Publication(
                slot, PublicationKind.ISSUE, "acme/shop", digest, f"{url}{number}", "", PublicationState.OPEN
            )
        )
    way.slash("rescan shop")

    slack_room.texts(3)
    actions = slack_room.slack.messages[2]["blocks"][-1]["elements"]
    assert [one["url"] for one in actions if one["text"]["text"] == "Report"] == [f"{url}3"]
