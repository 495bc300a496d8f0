"""Health and readiness answer whatever the parts do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pytest
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.web.app import web_app

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


def test_without_slack_there_is_no_way_in() -> None:
    with TestClient(web_app(dict)) as client:
        assert client.post("/slack/events", content=b"").status_code == 404
