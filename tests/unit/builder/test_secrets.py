"""Secrets of a build: in a file of their own, and in no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.builder.arguments import build_arguments
from bot.builder.client import Command
from bot.builder.secrets import redacted, written
from bot.errors import BuildFailed, EngineError
from bot.ports import BuildRequest

SECRETS = {"npm": "npm_s3cretvalue", "key": "-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----\n"}


def test_each_secret_is_a_private_file_that_the_command_names_by_id(tmp_path: Path) -> None:
    files = written(SECRETS, tmp_path)
    request = BuildRequest(tmp_path, tmp_path / "Dockerfile", "refit-1", secrets=SECRETS)
    words = build_arguments(Command(Path("docker"), "20.10", buildx=False), request, files)
    assert f"id=npm,src={files['npm']}" in words
    assert "s3cret" not in " ".join(words) + repr(request)
    assert files["npm"].read_text() == SECRETS["npm"]
    assert files["npm"].stat().st_mode & 0o077 == 0


def test_an_error_of_the_engine_that_quotes_a_step_has_it_blanked_out_too() -> None:
    with pytest.raises(EngineError) as raised, redacted(SECRETS):
        raise EngineError("the engine's disk is full: npm_s3cretvalue > /x: no space left on device")
    assert raised.value.message == "the engine's disk is full: *** > /x: no space left on device"


def test_a_step_that_prints_a_secret_has_it_blanked_out_of_message_and_log() -> None:
    with pytest.raises(BuildFailed) as raised, redacted(SECRETS):
        raise BuildFailed(
            "RUN echo npm_s3cretvalue failed", log="got npm_s3cretvalue\nMIIEvQIBADAN x", hint="h"
        )
    assert raised.value.message == "RUN echo *** failed"
    assert raised.value.log == "got ***\n*** x"
    assert raised.value.hint == "h"
