"""Names people can read for a digest."""

from __future__ import annotations

import pytest

from bot.updates.names import precise_name, precise_names

NGINX = """
latest 1.27 1.27.4 1.27.5 1.27-alpine 1.27.4-alpine 1.27.5-alpine 1.27.5-alpine3.21 1.27.5-perl 1.28.0
"""
DEBIAN = """
bookworm bookworm-slim bookworm-20261027-slim bookworm-20261110-slim bookworm-20261110 trixie-20261110-slim
"""


@pytest.mark.parametrize(
    ("current", "tags", "asked"),
    [
        ("1.27-alpine", NGINX, "1.27.5-alpine3.21 1.27.5-alpine 1.27.4-alpine"),
        ("1.27", NGINX, "1.27.5 1.27.4"),
        ("bookworm-slim", DEBIAN, "bookworm-20261110-slim bookworm-20261027-slim"),
        ("1.27.5-perl", NGINX, ""),
        ("1.27", "1.27.6-rc1 1.27.5-a1b2c3d v1.27.9 1.270.1", ""),
        ("3.11-slim", "3.11.9-slim 3.11.9-slim-bookworm 3.11.9", "3.11.9-slim-bookworm 3.11.9-slim"),
        ("latest", "1.29.3 1.29.2 1.29.3-alpine 1.28.0 mainline", "1.29.3 1.29.2 1.28.0"),
    ],
)
def test_only_the_few_tags_that_say_the_same_and_more_are_worth_a_request(
    current: str, tags: str, asked: str
) -> None:
    found = precise_names(
        current, [tag for tag in tags.split() if "alpine3" not in tag or "alpine" in current]
    )
    assert " ".join(found) == asked


def test_the_most_precise_of_the_tags_with_a_digest_is_its_name() -> None:
    known = {"1.27": "x", "1.27.5": "x", "1.27.5-alpine3.21": "y", "1": "x"}
    assert precise_name(known, "x", "1.27") == "1.27.5"
    assert precise_name(known, "z", "1.27") is None
