"""Slack is heard where it signed what it sends, just now, in few bytes."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from starlette.testclient import TestClient

from bot.web.app import web_app
from bot.web.slack import slack_routes
from tests.fakes.slack_server import SECRET, command


def bolt() -> App:
    app = App(signing_secret=SECRET, authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1"))
    app.command("/refit")(lambda ack: ack("heard"))
    return app


REQUESTS: dict[str, tuple[dict[str, Any], int]] = {
    "signed": ({"text": "help"}, 200),
    "with another secret": ({"text": "help", "secret": "another"}, 401),
    "signed ten minutes ago": ({"text": "help", "age": 600}, 401),
    "of 300 kB": ({"text": "x" * 300_000}, 413),
}


def post(body: bytes, headers: dict[str, str], path: str = "/slack/events") -> tuple[int, str]:
    with TestClient(web_app({}, slack_routes(bolt()))) as client:
        answer = client.post(path, content=body, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.parametrize(("how", "code"), REQUESTS.values(), ids=REQUESTS.keys())
def test_only_what_slack_signed_just_now_is_heard(how: dict[str, Any], code: int) -> None:
    status, text = post(*command(**how))

    assert status == code
    assert (text == "heard") == (code == 200)


def test_what_is_not_signed_is_refused() -> None:
    assert post(command("help")[0], {})[0] == 401


def test_what_is_no_text_is_refused() -> None:
    assert post(b"\xff", command("help")[1])[0] == 400


def test_a_body_of_unknown_length_is_refused() -> None:
    body, headers = command("help")

    with TestClient(web_app({}, slack_routes(bolt()))) as client:
        answer = client.post("/slack/events", content=iter([body]), headers=headers)

    assert answer.status_code == 413


def test_a_body_that_claims_an_endless_length_is_refused() -> None:
    body, headers = command("help")

    with TestClient(web_app({}, slack_routes(bolt()))) as client:
        answer = client.post("/slack/events", content=body, headers={**headers, "content-length": "9" * 5000})

    assert answer.status_code == 413


def test_a_body_is_refused_by_what_comes_whatever_length_it_claims() -> None:
    body, headers = command("x" * 300_000)

    with TestClient(web_app({}, slack_routes(bolt()))) as client:
        answer = client.post("/slack/events", content=body, headers={**headers, "content-length": "10"})

    assert answer.status_code == 413


def test_the_address_of_slash_commands_alone_is_heard_too() -> None:
    assert post(*command("help"), "/slack/commands") == (200, "heard")
