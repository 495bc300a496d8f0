"""Whose fault a failed build is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.builder.client import BuilderSettings, connect
from bot.builder.failures import failure, kept_away, unfinished
from bot.builder.problems import hint_for
from bot.builder.progress import Progress
from bot.builder.watch import Watch
from bot.errors import BuildFailed, EngineError, EngineMissing, ProcessFailed
from bot.ports import BuildRequest

REQUEST = BuildRequest(Path("context"), Path("context/Dockerfile"), "refit-x", seconds=3)
METADATA = "[internal] load metadata for registry.example/team/app:1"

CASES = {
    "a command": (
        Progress((), "[2/2] RUN false", error="executor failed running [false]: exit code: 1", log="said"),
        BuildFailed,
        "[2/2] RUN false failed with exit code 1",
    ),
    "a missing file": (
        Progress((), "[2/2] COPY a /b", error='"/a" not found: not found'),
        BuildFailed,
        '[2/2] COPY a /b failed: "/a" not found: not found',
    ),
    "a Dockerfile that is none": (
        Progress((), error="failed to solve: unknown instruction: FOO"),
        BuildFailed,
        "the Dockerfile does not build: failed to solve: unknown instruction: FOO",
    ),
    "a base that no registry has": (
        Progress((), METADATA, error="registry.example/team/app:1: not found"),
        BuildFailed,
        "no registry has registry.example/team/app:1",
    ),
    "a registry that is down": (
        Progress((), METADATA, error="dial tcp 10.0.0.1:443: connect: connection refused"),
        EngineError,
        "the engine could not get registry.example/team/app:1",
    ),
    "a rate limit": (
        Progress((), METADATA, error="toomanyrequests: you have reached your pull rate limit"),
        EngineError,
        "the engine could not get registry.example/team/app:1",
    ),
    "a rate limit for the reader of Dockerfiles": (
        Progress(
            (),
            "resolve image config for docker-image://docker.io/docker/dockerfile:1",
            error="toomanyrequests: you have reached your pull rate limit",
        ),
        EngineError,
        "the engine could not get docker.io/docker/dockerfile:1",
    ),
    "a full disk": (
        Progress((), "[2/2] RUN make", error="write /var/lib/docker/x: no space left on device"),
        EngineError,
        "the engine's disk is full at [2/2] RUN make: write /var/lib/docker/x",
    ),
    "a step that found the disk full": (
        Progress(
            (),
            "[2/2] RUN make",
            error="executor failed running [/bin/sh -c make]: exit code: 2",
            log="cc: error: x.o: No space left on device\nmake: *** [x.o] Error 2",
        ),
        EngineError,
        "the engine's disk is full at [2/2] RUN make: cc: error: x.o: No space left on device",
    ),
}


@pytest.mark.parametrize(("progress", "kind", "message"), CASES.values(), ids=CASES.keys())
def test_a_failure_is_the_dockerfiles_or_the_engines(
    progress: Progress, kind: type[EngineError], message: str
) -> None:
    error = failure(progress, REQUEST, "")
    assert type(error) is kind
    assert message in error.message
    assert error.hint


def test_a_failed_build_carries_what_the_step_wrote() -> None:
    error = failure(CASES["a command"][0], REQUEST, "")
    assert isinstance(error, BuildFailed)
    assert error.log == "said"


def test_a_docker_command_that_gives_no_reason_is_quoted() -> None:
    assert "strange words" in failure(Progress(()), REQUEST, "first\nstrange words").message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            "docker did not end within 3 s",
            "the build did not end within 3 s (builder.seconds) at [2/2] RUN sleep 60",
        ),
        (
            "docker wrote more than 64 bytes",
            "the build stopped at [2/2] RUN sleep 60: docker wrote more than",
        ),
    ],
    ids=["out of time", "too much output"],
)
def test_a_build_that_was_ended_names_the_step_it_stood_at(how: str, message: str) -> None:
    running = Progress((), running="[2/2] RUN sleep 60", log="waiting")
    error = unfinished(ProcessFailed(how), running, REQUEST, Watch(None, 0, None))
    assert message in error.message
    assert isinstance(error, BuildFailed)
    assert error.log == "waiting"


def test_what_a_build_was_kept_from_stands_beside_its_failure() -> None:
    failed = BuildFailed("[2/2] RUN make failed with exit code 7", log="said", hint="Build it by hand.")
    assert kept_away(failed, ()) is failed
    told = kept_away(failed, [f"10.0.0.{last}:443" for last in range(1, 6)])
    assert told.message == (
        "[2/2] RUN make failed with exit code 7; meanwhile builder.closed_network kept builds from "
        "10.0.0.1:443, 10.0.0.2:443, 10.0.0.3:443, … (see builder.reachable)"
    )
    assert told.hint == "If builds may reach that, name its address in builder.reachable. Build it by hand."
    assert told.log == "said"


def test_a_docker_command_too_old_for_the_engine_is_told_so() -> None:
    said = "client version 1.41 is too old. Minimum supported API version is 1.44"  # 20.10's, by Engine 29

    assert "install a newer one" in hint_for(said)


def test_an_engine_that_is_not_there_is_named_by_its_socket(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/docker.sock"

    with pytest.raises(EngineMissing) as caught, connect(BuilderSettings(host)):
        pass

    assert caught.value.message == f"no container engine answers: No such file or directory: '{host}'"


UNREACHED = {
    "stopped": (
        "unix://{sock}",
        "no container engine answers: Connection refused: 'unix://",
        "Start the engine",
    ),
    "nobody there": ("tcp://127.0.0.1:9", "answers: Connection refused: '127.0.0.1:9'", "Start the engine"),
    "no address": (
        "here",
        "the engine could not be reached: Invalid bind address",
        "unix:///PATH/docker.sock",
    ),
    "by ssh": ("ssh://a@b.example", "the engine could not be reached: ", "`ssh -L`"),
}


@pytest.mark.parametrize(("host", "message", "hint"), UNREACHED.values(), ids=UNREACHED.keys())
def test_an_engine_that_cannot_be_reached_says_where_and_what_to_do(
    tmp_path: Path, host: str, message: str, hint: str
) -> None:
    with socket.socket(socket.AF_UNIX) as stopped:
        stopped.bind(f"{tmp_path}/s")  # and nobody listens

        with (
            pytest.raises(EngineError) as caught,
            connect(BuilderSettings(host.format(sock=f"{tmp_path}/s"))),
        ):
            pass

    assert message in caught.value.message
    assert len(caught.value.message) < 160 + len(str(tmp_path))
    assert hint in caught.value.hint
