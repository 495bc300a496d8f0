"""Who is asked: the configuration's people, and the owners of the changed files."""

from __future__ import annotations

import pytest

from bot.cycle.people import asked, owners_of
from tests.fakes.forge import FakeCheckout

TEXT = """\
# who looks after what
*            @acme/everybody
/api/        @alice @acme/backend   # not by mail: ops@example.com
*.dockerfile bob@example.com
docs/        @carol
/api/vendor/
web/*        @dave
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["Dockerfile"], ("acme/everybody",)),
        (["api/Dockerfile"], ("alice", "acme/backend")),
        (["web/docs/Dockerfile"], ("carol",)),
        (["x.dockerfile"], ()),
        (["web/Dockerfile"], ("dave",)),
        (["web/admin/Dockerfile"], ("acme/everybody",)),
        (["api/vendor/Dockerfile"], ()),
        (["api/Dockerfile", "docs/Dockerfile", "api/b/Dockerfile"], ("alice", "acme/backend", "carol")),
        ([], ()),
    ],
)
def test_the_last_matching_pattern_names_the_owners(files: list[str], expected: tuple[str, ...]) -> None:
    assert owners_of(TEXT, files) == expected


def test_the_word_codeowners_stands_for_the_owners() -> None:
    checkout = FakeCheckout({".github/CODEOWNERS": TEXT.encode(), "CODEOWNERS": b"* @nobody\n"})
    assert asked(["dave", "CODEOWNERS"], ["docs/Dockerfile"], checkout) == ("dave", "carol")
    assert asked(["dave"], ["docs/Dockerfile"], checkout) == ("dave",)


def test_a_project_without_owners_asks_nobody_more() -> None:
    assert asked(["CODEOWNERS"], ["Dockerfile"], FakeCheckout({"Dockerfile": b""})) == ()


def test_owners_that_are_not_utf8_break_nothing() -> None:
    assert asked(["CODEOWNERS"], ["a"], FakeCheckout({"CODEOWNERS": b"\xff @x\n* @a"})) == ("a",)


def test_owners_of_patterns_that_are_malformed_or_take_for_ever_are_nobody() -> None:
    endless = "*[ab]" * 9 + "*[cd]*"
    assert owners_of(f"* @a\n! @b\n{endless} @c\n", ["Dockerfile"]) == ("a",)
    assert owners_of(f"* @a\n{endless} @c\n", ["ab" * 40_000]) == ()
