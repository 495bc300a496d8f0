from __future__ import annotations

from bot.dockerfile.instructions import instructions
from bot.dockerfile.stages import final_stage, touched
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


def test_the_final_stage_is_the_last() -> None:
    assert final_stage(DATA) == "4"
    assert final_stage(DATA + b"FROM scratch AS Out\n") == "out"
    assert final_stage(b"") is None


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
