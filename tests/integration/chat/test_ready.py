"""Ready means every part is; each that is missing is named, and is waited for without holding up the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.service import Service
from bot.settings import load
from bot.triggers.periods import Job
from deploy.lab.ports import free_port
from tests.fakes.slack_server import SlackServer
from tests.postgresql import cluster


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


def secret(folder: Path, name: str, text: str) -> dict[str, str]:
    (folder / name).write_text(text)
    return {"file": str(folder / name)}


def in_slack(folder: Path, slack: SlackServer) -> dict[str, Any]:
    names = ("bot_token", "app_token")
    tokens = {name: secret(folder, name, "made-up") for name in names}
    return {**tokens, "users": ["U1"], "channels": ["C1"], "url": slack.url}


def in_matrix(folder: Path) -> dict[str, Any]:
    """A homeserver that is not there."""
    return {
        "homeserver": f"http://127.0.0.1:{free_port()}",
        "user": "@refit:lab.test",
        "access_token": secret(folder, "access_token", "made-up"),
        "users": ["@alice:lab.test"],
        "rooms": ["!room:lab.test"],
    }


def service(folder: Path, **sections: Any) -> Service:
    settings = {
        "state": str(folder / "state"),
        "projects": [{"name": "shop", "forge": "local", "path": str(folder)}],
        "schedule": dict.fromkeys(Job, "0 0 29 2 *"),
        **sections,
    }
    file = folder / "refit.yaml"
    file.write_text(json.dumps(settings))
    return Service(load(file))


@contextmanager
def started(made: Service) -> Iterator[TestClient]:
    with TestClient(made.web) as client:
        made.start()
        try:
            yield client
        finally:
            made.stop(5)
            made.close()


def wait_for(client: TestClient, seconds: float = 120, **parts: bool) -> None:
    """Wait until these are the states of the parts; health answers all the while."""
    deadline = time.monotonic() + seconds
    while (told := client.get("/readyz")).json()["parts"] != parts:
        assert time.monotonic() < deadline, told.text
        assert client.get("/healthz").status_code == 200
        time.sleep(0.05)
    assert told.status_code == (200 if all(parts.values()) else 503)


def test_nothing_is_ready_before_it_was_started(tmp_path: Path, slack: SlackServer) -> None:
    made = service(tmp_path, slack=in_slack(tmp_path, slack))
    with TestClient(made.web) as client:
        wait_for(client, store=True, schedule=False, slack=False)
    made.stop(1)
    made.close()


def test_a_slack_that_refuses_is_named_and_heard_as_soon_as_it_does_not(
    tmp_path: Path, slack: SlackServer
) -> None:
    slack.refuse["auth.test"] = "invalid_auth"
    with started(service(tmp_path, slack=in_slack(tmp_path, slack))) as client:
        wait_for(client, store=True, schedule=True, slack=False)

        del slack.refuse["auth.test"]

        wait_for(client, store=True, schedule=True, slack=True)
        assert slack.sockets


def test_a_matrix_that_is_down_is_named_and_keeps_slack_from_nothing(
    tmp_path: Path, slack: SlackServer
) -> None:
    sections = {"slack": in_slack(tmp_path, slack), "matrix": in_matrix(tmp_path)}
    with started(service(tmp_path, **sections)) as client:
        wait_for(client, store=True, schedule=True, slack=True, matrix=False)


def test_a_database_that_goes_away_is_named_and_the_bot_is_ready_when_it_is_back(tmp_path: Path) -> None:
    with cluster() as server:
        url = urlsplit(server.database())._replace(netloc=f"refit@127.0.0.1:{server.port}").geturl()
        store = {"store": url, "store_password": secret(tmp_path, "password", server.password)}
        with started(service(tmp_path, **store)) as client:
            wait_for(client, store=True, schedule=True)

            server.stop()
            wait_for(client, store=False, schedule=True)
            server.start()

            wait_for(client, store=True, schedule=True)


def test_a_database_that_is_not_there_is_said_before_anything_is_begun(tmp_path: Path) -> None:
    url = f"postgresql://refit@127.0.0.1:{free_port()}/refit"
    store = {"store": url, "store_password": secret(tmp_path, "password", "made-up")}

    with pytest.raises(StoreError, match="cannot open the store") as caught:
        service(tmp_path, **store)

    assert "made-up" not in caught.value.message
