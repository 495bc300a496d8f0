from __future__ import annotations

import pytest

from bot.dockerfile.instructions import instructions
from bot.dockerfile.stages import stage_names, touched, with_names
from bot.dockerfile.uses import read

DATA = b"""# syntax=docker/dockerfile:1
FROM golang:1.22 AS build
RUN --mount=from=tools,target=/t make
FROM debian:12 AS base
FROM alpine:3.20 AS tools
FROM base AS test
COPY --from=build /a /a
FROM base
COPY --from=0 /a /a
HEALTHCHECK CMD /a
"""


def reached(image: str) -> tuple[str, ...]:
    (use,) = [use for use in read("Dockerfile", DATA) if use.text == image]
    return touched(DATA, use)


def test_a_base_reaches_what_is_built_on_it() -> None:
    assert reached("debian:12") == ("base", "test", "4")


def test_a_base_reaches_what_copies_from_it() -> None:
    assert reached("golang:1.22") == ("build", "test", "4")


def test_a_base_reaches_what_mounts_it() -> None:
    assert reached("alpine:3.20") == ("build", "tools", "test", "4")


def test_a_frontend_reaches_every_stage() -> None:
    assert reached("docker/dockerfile:1") == ("build", "base", "tools", "test", "4")


def test_stages_get_names_where_they_stand_and_nothing_else_changes() -> None:
    data = b"""FROM golang:1.22 AS build
FROM --platform=$BUILDPLATFORM \\
  # the base
  debian:12
RUN make
FROM debian:12
COPY --from=0 /a /a
"""

    named, names = with_names(data, ("1", "2"))

    assert names == ("stage-1", "stage-2")
    assert stage_names(named) == ["build", "stage-1", "stage-2"]
    assert named.replace(b" AS stage-1", b"", 1).replace(b" AS stage-2", b"", 1) == data
    assert [use.reference for use in read("", named)] == [use.reference for use in read("", data)]


@pytest.mark.parametrize(
    ("data", "stages"),
    [
        (b"FROM debian:12\n", ("0",)),
        (b"FROM debian:12\nFROM a\n", ("0", "1")),
        (DATA, ("base", "test")),
        (b"FROM a AS x\nFROM b\nCOPY --from=Stage-1 / /\n", ("1",)),
        (b"", ()),
    ],
    ids=["one stage", "every stage", "stages with names", "a name that means something", "no stage"],
)
def test_a_file_stays_as_it_is_where_no_name_is_needed_or_can_be_given(
    data: bytes, stages: tuple[str, ...]
) -> None:
    assert with_names(data, stages) == (data, stages)


def test_the_final_image_and_what_it_stands_on_are_marked() -> None:
    assert [use.text for use in read("Dockerfile", DATA) if use.final] == ["debian:12", "base"]


def test_instructions_have_their_lines_and_their_bytes() -> None:
    data = b"FROM a \\\n  AS b\n\nRUN <<E\nx\nE\n# c\nHEALTHCHECK CMD /a\n"

    found = [
        (one.keyword, one.line, data[one.start : one.body], data[one.body : one.end])
        for one in instructions(data)
    ]

    assert found == [
        ("FROM", 1, b"FROM a \\\n  AS b\n", b""),
        ("RUN", 4, b"RUN <<E\n", b"x\nE\n"),
        ("HEALTHCHECK", 8, b"HEALTHCHECK CMD /a\n", b""),
    ]
