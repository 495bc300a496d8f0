"""Reading BuildKit's plain progress."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bot.builder.progress import Progress, ProgressReader
from bot.model.evidence import Step

# As the BuildKit in docker 20.10.24 wrote it.
BUILT = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:0f232c9a6800bb5a60172817b7e97092f7e20b933b0e71862bdd516ae57b2b3b
#1 transferring dockerfile: 179B done
#1 DONE 0.0s

#4 [1/3] FROM docker.io/library/debian:12
#4 sha256:00628f925d76a4896c60a6456c91d916b7813439b5307c194e1d72030273b932
#4 CACHED

#5 [2/3] RUN make
#5 sha256:74bc805f9f43516096737bb730a8206d2cf66f90d42de41031c9a2e570203860
#5 0.210 compiling
#5 ...

#6 [3/3] COPY . /app
#6 DONE 1.0s

#5 [2/3] RUN make
#5 0.790 linking
#5 DONE 12.4s
"""

FAILED = """\
#5 [2/2] RUN echo hello && echo a problem >&2 && exit 3
#5 sha256:64e3c5dbcc7a7b8cdba7bd064de9d7d55f6c006da2d1ed0bfd8db72d8bd6028e
#5 0.140 hello
#5 0.141 a problem
#5 ERROR: executor failed running [/bin/sh -c echo hello && exit 3]: exit code: 3
------
 > [2/2] RUN echo hello && echo a problem >&2 && exit 3:
#5 0.140 hello
#5 0.141 a problem
------
executor failed running [/bin/sh -c echo hello && exit 3]: exit code: 3
"""

# As the buildx plug-in writes it.
FAILED_BY_BUILDX = """\
#0 building with "default" instance using docker driver
#6 [builder 3/4] RUN cargo build
#6 0.312 error: could not compile
#6 ERROR: process "/bin/sh -c cargo build" did not complete successfully: exit code: 101
#7 [stage-1 2/2] RUN apt-get update
#7 CANCELED
"""


def parse_progress(lines: Iterable[str]) -> Progress:
    """What a reader makes of the whole output of a build."""
    reader = ProgressReader()
    for line in lines:
        reader.feed(line)
    return reader.result()


def test_steps_come_in_order_with_seconds_and_whether_they_were_cached() -> None:
    assert parse_progress(BUILT.splitlines()).steps == (
        Step("[internal] load build definition from Dockerfile", 0.0, cached=False, bytes=179),
        Step("[1/3] FROM docker.io/library/debian:12", 0.0, cached=True),
        Step("[2/3] RUN make", 12.4, cached=False),
        Step("[3/3] COPY . /app", 1.0, cached=False),
    )


PULLED = """\
#2 [internal] load metadata for docker.io/library/debian:12
#2 DONE 0.4s

#4 [1/2] FROM docker.io/library/debian:12@sha256:aa
#4 resolve docker.io/library/debian:12@sha256:aa 0.1s done
#4 sha256:0123 0B / 31.36MB 0.1s
#4 sha256:0123 31.36MB / 31.36MB 1.2s done
#4 sha256:4567 1.5kB / 1.5kB done
#4 extracting sha256:0123 0.9s done
#4 DONE 2.1s

#5 [internal] load build context
#5 transferring context: 1.02MB 0.1s done
#5 DONE 0.1s
"""


def test_what_was_pulled_and_sent_is_counted() -> None:
    found = parse_progress(PULLED.splitlines())
    assert found.pull_seconds == pytest.approx(2.5)
    assert found.pull_bytes == 31_361_500
    assert [step.bytes for step in found.steps] == [0, 31_361_500, 1_020_000]


def test_a_build_that_went_well_has_no_failure() -> None:
    found = parse_progress(BUILT.splitlines())
    assert (found.failed, found.running, found.error, found.log) == ("", "", "", "")


@pytest.mark.parametrize(
    ("output", "step", "code", "log"),
    [
        (FAILED, "[2/2] RUN echo hello && echo a problem >&2 && exit 3", 3, "hello\na problem"),
        (FAILED_BY_BUILDX, "[builder 3/4] RUN cargo build", 101, "error: could not compile"),
    ],
    ids=["docker 20.10", "buildx"],
)
def test_a_failed_step_is_named_with_its_exit_code_and_what_it_wrote(
    output: str, step: str, code: int, log: str
) -> None:
    found = parse_progress(output.splitlines())
    assert (found.failed, found.exit_code, found.log.splitlines()[: len(log.splitlines())]) == (
        step,
        code,
        log.splitlines(),
    )


# As buildx 0.13 wrote it, for a cache that no registry has.
WITHOUT_ITS_CACHE = """\
#0 building with "default" instance using docker driver

#6 importing cache manifest from 127.0.0.1:5000/play/nothing:1
#6 ERROR: 127.0.0.1:5000/play/nothing:1: not found

#7 [tools 2/2] RUN make
#7 pulling sha256:b7aaa2c960c31efcad8bf9ee93db23bc12de9df978099840128258c5e5e646b6 0.0s done
#7 CACHED

#9 [stage-1 2/3] RUN exit 3
#9 0.112 words
#9 ERROR: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3
------
 > importing cache manifest from 127.0.0.1:5000/play/nothing:1:
------
"""


def test_a_cache_that_cannot_be_had_is_not_what_ended_the_build() -> None:
    found = parse_progress(WITHOUT_ITS_CACHE.splitlines())
    assert (found.failed, found.exit_code, found.log) == ("[stage-1 2/3] RUN exit 3", 3, "words")
    assert found.lost_caches == (("127.0.0.1:5000/play/nothing:1", "not found"),)


def test_what_buildx_says_of_itself_is_no_step() -> None:
    names = [step.name for step in parse_progress(WITHOUT_ITS_CACHE.splitlines()).steps]
    assert names == [
        "importing cache manifest from 127.0.0.1:5000/play/nothing:1",
        "[tools 2/2] RUN make",
        "[stage-1 2/3] RUN exit 3",
    ]


def test_only_the_last_fifty_lines_of_a_step_are_kept() -> None:
    lines = ["#5 [2/2] RUN test", *(f"#5 0.{n:03d} line {n}" for n in range(200)), "#5 ERROR: exit code: 1"]
    log = parse_progress(lines).log.splitlines()
    assert (len(log), log[0], log[-1]) == (50, "line 150", "line 199")


def test_the_step_that_still_runs_is_known_for_a_build_that_hangs() -> None:
    lines = ["#4 [1/2] FROM debian:12", "#4 DONE 0.1s", "#5 [2/2] RUN sleep 60", "#5 0.100 waiting"]
    found = parse_progress(lines)
    assert (found.running, found.log) == ("[2/2] RUN sleep 60", "waiting")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("failed to solve with frontend dockerfile.v0: unknown instruction: FOO", "unknown instruction: FOO"),
        ("ERROR: failed to solve: the Dockerfile cannot be empty", "the Dockerfile cannot be empty"),
        ("Error response from daemon: dockerfile parse error", "dockerfile parse error"),
    ],
)
def test_an_error_outside_every_step_is_kept(line: str, error: str) -> None:
    found = parse_progress(["#1 [internal] load build definition", "#1 DONE 0.0s", line])
    assert (found.failed, found.error.endswith(error)) == ("", True)


@pytest.mark.parametrize("text", ["", "#", "#x y", "# 5 DONE", "#5", "\x00#5 DONE 1.0s", "#5 DONE"])
def test_lines_that_are_no_progress_do_no_harm(text: str) -> None:
    assert parse_progress([text]).failed == ""
