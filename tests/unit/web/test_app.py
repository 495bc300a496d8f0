"""Health and readiness answer whatever the parts do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.web.app import web_app
from tests.fakes.slack_server import SECRET, command

Ready = Callable[[], Mapping[str, bool]]


def get(ready: Ready, path: str = "/readyz") -> tuple[int, object]:
    with TestClient(web_app(ready, patience=0.2)) as client:
        answer = client.get(path)
    return answer.status_code, answer.json() if path == "/readyz" else answer.text


def fails() -> Mapping[str, bool]:
    raise StoreError("the store cannot be used: it is locked")


STATES: dict[str, tuple[Ready, int, Mapping[str, bool]]] = {
    "every part is ready": (lambda: {"store": True, "chat": True}, 200, {"store": True, "chat": True}),
    "one is not": (lambda: {"store": True, "chat": False}, 503, {"store": True, "chat": False}),
    "none is known": (dict, 503, {}),
    "asking fails": (fails, 503, {}),
}


@pytest.mark.parametrize(("ready", "code", "parts"), STATES.values(), ids=STATES.keys())
def test_readiness_is_that_of_every_part(ready: Ready, code: int, parts: Mapping[str, bool]) -> None:
    assert get(ready) == (code, {"ready": code == 200, "parts": parts})


def test_a_part_that_does_not_answer_is_not_ready_and_health_goes_on() -> None:
    stuck = threading.Event()

    def waits() -> Mapping[str, bool]:
        stuck.wait(20)
        return {"store": True}

    try:
        assert get(waits) == (503, {"ready": False, "parts": {}})
        assert get(waits, "/healthz") == (200, "ok\n")
    finally:
        stuck.set()


def bolt() -> App:
    app = App(signing_secret=SECRET, authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1"))
    app.command("/refit")(lambda ack: ack("heard"))
    return app


REQUESTS: dict[str, tuple[dict[str, Any], int]] = {
    "signed": ({"text": "help"}, 200),
    "with another secret": ({"text": "help", "secret": "another"}, 401),
    "signed ten minutes ago": ({"text": "help", "age": 600}, 401),
    "of 66 kB": ({"text": "x" * 66_000}, 413),
}


def post(body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    with TestClient(web_app(dict, bolt())) as client:
        answer = client.post("/slack/commands", content=body, headers=headers)
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

    with TestClient(web_app(dict, bolt())) as client:
        answer = client.post("/slack/commands", content=iter([body]), headers=headers)

    assert answer.status_code == 413


def test_without_slack_there_is_no_way_in() -> None:
    with TestClient(web_app(dict)) as client:
        assert client.post("/slack/commands", content=b"").status_code == 404
