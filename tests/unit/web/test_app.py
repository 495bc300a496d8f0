"""Health and readiness answer whatever the parts do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pytest
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.web.app import web_app

Parts = Mapping[str, Callable[[], bool]]


def get(parts: Parts, path: str = "/readyz") -> tuple[int, object]:
    with TestClient(web_app(parts, patience=60)) as client:
        answer = client.get(path)
    return answer.status_code, answer.json() if path == "/readyz" else answer.text


def yes() -> bool:
    return True


def no() -> bool:
    return False


def fails() -> bool:
    raise StoreError("the store cannot be used: it is locked")


STATES: dict[str, tuple[Parts, int, Mapping[str, bool]]] = {
    "every part is ready": ({"store": yes, "slack": yes}, 200, {"store": True, "slack": True}),
    "one is not": ({"store": yes, "slack": no}, 503, {"store": True, "slack": False}),
    "there is none": ({}, 503, {}),
    "asking one fails": ({"store": fails, "slack": yes}, 503, {"store": False, "slack": True}),
}


@pytest.mark.parametrize(("parts", "code", "states"), STATES.values(), ids=STATES.keys())
def test_readiness_is_that_of_every_part(parts: Parts, code: int, states: Mapping[str, bool]) -> None:
    assert get(parts) == (code, {"ready": code == 200, "parts": states})


def test_a_part_that_does_not_answer_is_named_and_hides_no_other() -> None:
    stuck, asked = threading.Event(), list[int]()

    def waits() -> bool:
        asked.append(1)
        return stuck.wait(120)

    parts = {"store": waits, "slack": yes}
    try:
        with TestClient(web_app(parts, patience=2)) as client:
            answers = [client.get("/readyz").json() for _ in range(3)]
            assert client.get("/healthz").text == "ok\n"
    finally:
        stuck.set()

    assert answers == [{"ready": False, "parts": {"store": False, "slack": True}}] * 3
    assert len(asked) == 1


def test_without_slack_there_is_no_way_in() -> None:
    with TestClient(web_app({})) as client:
        assert client.post("/slack/events", content=b"").status_code == 404
