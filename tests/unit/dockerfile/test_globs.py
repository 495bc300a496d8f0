"""Globs of people we do not know: as git reads them, and never for ever."""

from __future__ import annotations

import pytest

from bot.dockerfile.globs import Allowance, Globs
from bot.errors import ConfigError

# A backtracking matcher tries every way to divide the path over the stars.
MANY_STARS = "*[ab]" * 7 + "*[cd]*"
LONG = "ab" * 20_000


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["*.pyc"], "a/b.pyc", True),
        (["docs/"], "docs/x", True),
        (["/docs"], "a/docs", None),
        (["*", "!keep"], "keep", False),
        (["a/**/b"], "a/x/y/b", True),
        (["*_*_*.txt"], "one_two_three.txt", True),
        (["# a comment", ""], "# a comment", None),
    ],
)
def test_the_last_glob_that_matches_decides(lines: list[str], path: str, expected: bool | None) -> None:  # noqa: FBT001 - a table's column
    assert Globs(lines).verdict(path) is expected


@pytest.mark.parametrize("malformed", ["!", "\\", "a\\", "[z-a]", "*[z-a]*"])
def test_a_malformed_glob_matches_nothing_and_the_others_still_count(malformed: str) -> None:
    globs = Globs([malformed, "Dockerfile"])

    assert globs.match("Dockerfile")
    assert not globs.match(malformed)


def test_a_glob_that_would_take_for_ever_is_given_up_and_named() -> None:
    with pytest.raises(ConfigError, match=r"\*\[ab\]") as raised:
        Globs([MANY_STARS], Allowance(0.05, 0.05)).match(LONG)

    assert "fewer stars" in raised.value.hint


def test_globs_that_share_an_allowance_share_its_end() -> None:
    allowance = Allowance(0.05, 0.05)
    first, second = (Globs([MANY_STARS], allowance) for _ in range(2))
    with pytest.raises(ConfigError):
        first.match(LONG)
    with pytest.raises(ConfigError):
        second.match(LONG)
