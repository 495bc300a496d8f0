"""The bot starts with what the configuration says about people, and not without its secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.errors import ConfigError
from bot.service import Service
from bot.settings import load


def service(folder: Path, **sections: Any) -> Service:
    (folder / "token").write_text("ghp_made_up")
    (folder / "good").write_text("a-secret-that-is-long-enough")
    (folder / "empty").write_text("\n")
    settings = {
        "state": str(folder / "state"),
        "projects": [{"name": "acme/shop"}],
        "github": {"url": "http://127.0.0.1:9", "token": {"file": str(folder / "token")}},
        **sections,
    }
    file = folder / "refit.yaml"
    file.write_text(json.dumps(settings))
    return Service(load(file))


@pytest.mark.parametrize(
    "secret",
    [{"file": "empty"}, {"file": "none"}, {"env": "REFIT_TEST_NOT_SET"}],
    ids=["empty", "no file", "no env"],
)
def test_without_a_webhook_secret_the_bot_does_not_start(tmp_path: Path, secret: dict[str, str]) -> None:
    place = {key: str(tmp_path / name) if key == "file" else name for key, name in secret.items()}

    with pytest.raises(ConfigError, match="secret"):
        service(tmp_path, comments={"secrets": [place]})


def test_with_one_it_hears_github_and_answers_at_once(tmp_path: Path) -> None:
    made = service(tmp_path, comments={"secrets": [{"file": str(tmp_path / "good")}]})
    with TestClient(made.web) as client:
        refused = client.post("/github/webhooks", content=b"{}")
    made.stop(1)
    made.close()

    assert refused.status_code == 401


def test_with_none_configured_github_is_not_heard(tmp_path: Path) -> None:
    made = service(tmp_path)
    with TestClient(made.web) as client:
        assert client.post("/github/webhooks", content=b"{}").status_code == 404
    made.stop(1)
    made.close()
