"""A Dockerfile may name the program that reads it; only Docker's own and what the operator allows may run."""

from __future__ import annotations

import pytest

from bot.dockerfile.frontend import foreign_frontend

MAY_RUN = [
    b"FROM debian:12\n",
    b"# syntax=docker/dockerfile:1\nFROM debian:12\n",
    b"# syntax=docker.io/docker/dockerfile:1.7-labs@sha256:" + b"1" * 64 + b"\nFROM debian:12\n",
    b"#syntax = docker/dockerfile-upstream:master\nFROM debian:12\n",
    b"FROM debian:12\n# syntax=example/frontend:2\n",
    b"",
]
MAY_NOT = {
    "another": (b"# syntax=example/frontend:2\nFROM debian:12\n", "example/frontend:2"),
    "of another registry": (b"# syntax=ghcr.io/docker/dockerfile:1\nFROM a\n", "ghcr.io/docker/dockerfile:1"),
    "after slashes": (b"// syntax=example/frontend\nFROM debian:12\n", "example/frontend"),
    "after a shebang": (b"#!/bin/x\n# syntax=example/frontend\nFROM debian:12\n", "example/frontend"),
    "after a wide space": ("#\u00a0\u3000syntax=example/frontend\nFROM a\n".encode(), "example/frontend"),
    "with words for it": (b"# syntax=example/frontend --flag\nFROM debian:12\n", "example/frontend"),
    "no reference at all": (b"# syntax=UPPER:::\nFROM debian:12\n", "UPPER:::"),
    "in JSON": (b'\xef\xbb\xbf#!/x\n {"syntax": "example/frontend"}', '{"syntax": "example/frontend"}'),
}


@pytest.mark.parametrize("data", MAY_RUN)
def test_dockers_own_frontend_may_run(data: bytes) -> None:
    assert foreign_frontend(data) == ""


@pytest.mark.parametrize(("data", "frontend"), MAY_NOT.values(), ids=MAY_NOT.keys())
def test_another_frontend_is_named(data: bytes, frontend: str) -> None:
    assert foreign_frontend(data) == frontend


def test_what_the_operator_allows_may_run_with_any_tag() -> None:
    data = b"# syntax=ghcr.io/acme/frontend:3\nFROM debian:12\n"
    assert foreign_frontend(data, ["ghcr.io/acme/frontend"]) == ""
    assert foreign_frontend(data, ["acme/frontend"]) == "ghcr.io/acme/frontend:3"


@pytest.mark.timeout(120)  # all of it is read in less than a second; in time that grows faster, never
@pytest.mark.parametrize("spaces", [b" ", b"\t", "\u3000".encode()], ids=["blanks", "tabs", "wide"])
def test_a_directive_of_a_million_spaces_is_read_at_once(spaces: bytes) -> None:
    for head in (b"# syntax=", b"# syntax", b"#"):
        foreign_frontend(head + spaces * 1_000_000 + b"\v\nFROM debian:12\n")
