"""Logs of a service: one JSON object a line with its run's id, and no secret, wherever it came from."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.logs import JsonLines, PlainLines, run_named, secrets_of
from bot.settings import Secret, Settings
from bot.settings.services import GitHubSection, RegistryHost

TOKEN = "a-token-of-this-test"


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("bot.test", logging.INFO, "file.py", 1, message, values, info)


def line(message: str, *values: object, secrets: tuple[str, ...] = (), **more: Any) -> dict[str, str]:
    loaded: dict[str, str] = json.loads(JsonLines(secrets).format(record(message, *values, **more)))
    return loaded


def test_a_line_is_an_object_that_names_its_run() -> None:
    with run_named("monthly-2026-11"):
        said = line("%s: pass", 'back"end')

    assert {key: said[key] for key in ("level", "logger", "message", "run")} == {
        "level": "info",
        "logger": "bot.test",
        "message": 'back"end: pass',
        "run": "monthly-2026-11",
    }
    assert said["time"].endswith("Z")
    assert "run" not in line("outside of any run")


def test_a_line_for_people_has_the_time_of_the_configured_zone_which_it_names() -> None:
    made = record("done")
    made.created = 1_793_500_200.0

    assert PlainLines((), ZoneInfo("Europe/Berlin")).format(made).startswith("2026-11-01 03:30:00 CET INFO ")


def test_a_message_of_many_lines_stays_one_line() -> None:
    assert "\n" not in JsonLines(()).format(record("first\nsecond"))


def test_what_others_wrote_forges_no_line_for_people_and_steers_no_terminal() -> None:
    error = ValueError("first\n2026-11-24 12:00:00,000 INFO bot.test all is well")
    said = PlainLines(()).format(record("gone: %s", "x\x1b[2J\u202e\r\nINFO bot.test done", error=error))

    first, *below = said.split("\n")
    assert first.endswith("gone: x")
    assert all(one.startswith("    ") for one in below)
    assert below[0] == "    INFO bot.test done"


SECRETS = {
    "a secret of the configuration": ("asked with s3cr3t-of-ours twice: s3cr3t-of-ours", "s3cr3t-of-ours"),
    "a password in a URL": ("cannot reach postgresql://refit:hunter22@db/refit", "hunter22"),
    "a bearer token": ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
    "a token of GitHub": ("git said ghp_0123456789abcdefghij", "ghp_0123456789abcdefghij"),
    "a token of Slack": ("posted with xoxb-12345678-abcdef", "xoxb-12345678-abcdef"),
}


@pytest.mark.parametrize(("message", "secret"), SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("form", [JsonLines, PlainLines])
def test_no_secret_reaches_a_line(form: type[JsonLines | PlainLines], message: str, secret: str) -> None:
    said = form(("s3cr3t-of-ours", "short")).format(record(message))

    assert secret not in said
    assert "***" in said


def test_no_secret_reaches_a_traceback() -> None:
    said = line("a bug", secrets=(TOKEN,), error=ValueError(f"the server refused {TOKEN}"))

    assert "the server refused ***" in said["traceback"]
    assert TOKEN not in json.dumps(said)


def test_ordinary_words_stay(tmp_path: Path) -> None:
    said = line("prove debian:12@sha256:abc in acme/shop", secrets=("a", "in"))

    assert said["message"] == "prove debian:12@sha256:abc in acme/shop"
    assert tmp_path.name in line(f"listening in {tmp_path}")["message"]


def test_every_secret_that_the_configuration_names_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFIT_TEST_TOKEN", TOKEN)
    (tmp_path / "key").write_text("first line\nsecond line\n", encoding="utf-8")
    settings = Settings(
        github=GitHubSection(token=Secret(env="REFIT_TEST_TOKEN")),
        registries=(
            RegistryHost(host="docker.io", token=Secret(file=tmp_path / "key")),
            RegistryHost(host="ghcr.io", token=Secret(env="REFIT_TEST_NOT_SET")),
        ),
    )

    assert set(secrets_of(settings)) == {TOKEN, "first line\nsecond line"}
