"""Tags: the corpus a person can read, and the laws that hold for every tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.update import UpdateKind
from bot.updates.explain import explain
from bot.updates.tags import Tag, choose, kind_of, why_not

CORPUS = Path(__file__).parents[2] / "corpus" / "tags"


def _cases() -> Iterator[tuple[str, str, str, str, str]]:
    for file in sorted(CORPUS.glob("*.txt")):
        repository = ""
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("["):
                repository = line.strip("[]")
            elif line and not line.startswith("#"):
                current, allow, tags, expected = (cell.strip() for cell in line.split("|"))
                yield repository, current, allow, tags, expected


CASES = list(_cases())


@pytest.mark.parametrize(
    ("repository", "current", "allow", "tags", "expected"),
    CASES,
    ids=[" | ".join(case) for case in CASES],
)
def test_a_list_of_tags_gives_the_tag_that_its_row_says(
    repository: str, current: str, allow: str, tags: str, expected: str
) -> None:
    choice = choose(current, tags.split(), UpdateKind(allow), repository=repository)
    assert choice.tag == (None if expected == "-" else expected)


def test_the_corpus_has_two_hundred_cases_and_no_row_twice() -> None:
    assert len(CASES) >= 200
    assert len(set(CASES)) == len(CASES)


# Tags as registries have them: prefix, version, pre-release, suffix, system, build, date.
_number = st.one_of(st.integers(0, 30), st.integers(2019, 2027))
_version = st.lists(_number.map(str), min_size=1, max_size=4).map(".".join)
_TAILS = """
-alpine -slim -alpine3.19 -alpine3.20 -bookworm -trixie -slim-bookworm -r1 -r2 _12 _13 -20241111
-20250108 -a1b2c3d -ls256 -amd64 -jre -debian-12
"""
_FIXED = """
latest alpine bookworm-slim trixie-slim bookworm-20241111-slim 20250108 20241111 a1b2c3d noble jammy
24.04 25.10 26.04 RELEASE.2024-10-02T17-50-41Z edge 3 4
"""
_tail = st.sampled_from(["", *_TAILS.split()])
_pre = st.sampled_from(["", "", "", "-rc1", "-rc.2", "-beta1", "rc1", "b2", "-alpha", "-ea-3", "-SNAPSHOT"])
_prefix = st.sampled_from(["", "", "", "v", "release-", "jdk"])
_built = st.tuples(_prefix, _version, _pre, _tail).map("".join)
_fixed = st.sampled_from(_FIXED.split())
_tag = st.one_of(_built, _built, _fixed)
_tags = st.lists(_tag, max_size=25)
_allow = st.sampled_from(list(UpdateKind))
_repository = st.sampled_from(["acme/app", "library/debian", "library/ubuntu", "library/alpine"])


@given(_tag, _tags, _allow, _repository)
def test_r16_a_choice_is_never_a_downgrade(
    current: str, tags: list[str], allow: UpdateKind, repository: str
) -> None:
    chosen = choose(current, tags, allow, repository=repository).tag
    if chosen is None:
        return
    old, new = Tag.parse(current, repository=repository), Tag.parse(chosen, repository=repository)
    assert not why_not(old, new)
    assert why_not(new, old)
    assert new.key > old.key


@given(_tag, _tags, _allow, _repository)
def test_a_choice_keeps_prefix_precision_and_suffix(
    current: str, tags: list[str], allow: UpdateKind, repository: str
) -> None:
    chosen = choose(current, tags, allow, repository=repository).tag
    if chosen is not None:
        assert _skeleton(chosen) == _skeleton(current)


def _skeleton(tag: str) -> str:
    """The tag with what may move blanked out, without any help of the code under test."""
    tag = re.sub(r"[-.]?(rc|beta|alpha|ea|SNAPSHOT|(?<=\d)b)(?:[-.]?\d+)?", "", tag)
    tag = re.sub(r"bookworm|trixie", "DEBIAN", tag)
    tag = re.sub(r"noble|jammy", "UBUNTU", tag)
    tag = re.sub(r"-(?=[0-9a-f]{7}$)(?=\d*[a-f])[0-9a-f]{7}$", "-HASH", tag)
    return re.sub(r"\d+", "9", tag)


@given(_tag, _tags, _allow, st.data())
def test_a_choice_does_not_depend_on_the_order_or_on_repeats(
    current: str, tags: list[str], allow: UpdateKind, data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations([*tags, *tags[:2]]))
    first, second = choose(current, tags, allow), choose(current, mixed, allow)
    assert (first.tag, first.ranked, first.beyond) == (second.tag, second.ranked, second.beyond)


@given(_tag, _tags, _allow, _repository)
def test_choosing_again_from_what_was_chosen_gives_nothing(
    current: str, tags: list[str], allow: UpdateKind, repository: str
) -> None:
    chosen = choose(current, tags, allow, repository=repository).tag
    if chosen is not None:
        assert choose(chosen, tags, allow, repository=repository).tag is None


@given(_tag, _tags, _allow)
def test_a_choice_goes_no_further_than_allowed_and_no_release_becomes_a_prerelease(
    current: str, tags: list[str], allow: UpdateKind
) -> None:
    choice = choose(current, tags, allow)
    if choice.tag is None:
        return
    old, new = Tag.parse(current), Tag.parse(choice.tag)
    assert kind_of(old, new).rank <= allow.rank
    assert new.prerelease is None or old.prerelease is not None


@given(st.text(max_size=200), st.lists(st.text(max_size=200), max_size=5))
def test_any_text_at_all_can_stand_in_a_tag_list(current: str, tags: list[str]) -> None:
    assert choose(current, tags, UpdateKind.MAJOR).tag in (None, *tags)


@given(st.text("0123456789abcv.-_rcubetl", max_size=40), st.text("0123456789abcv.-_rcubetl", max_size=40))
def test_of_two_tags_at_most_one_is_the_newer(one: str, other: str) -> None:
    assert why_not(Tag.parse(one), Tag.parse(other)) or why_not(Tag.parse(other), Tag.parse(one))


@pytest.mark.parametrize(
    ("current", "other", "kind"),
    [
        ("1.27-alpine3.19", "1.27-alpine3.20", "minor"),
        ("1.27.1-alpine3.19", "1.27.2-alpine3.20", "minor"),
        ("1.0-bookworm", "1.0-trixie", "major"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "2.0.0", "major"),
        ("1.3.0-rc1", "1.3.0", "patch"),
        ("17.0.1_12", "17.0.1_13", "patch"),
        ("bookworm-20240211", "bookworm-20250612", "patch"),
        ("20240211", "20250612", "major"),
    ],
)
def test_a_move_goes_as_far_as_its_most_far_reaching_part(current: str, other: str, kind: str) -> None:
    assert kind_of(Tag.parse(current), Tag.parse(other)) == kind


def test_an_explanation_names_what_was_taken_what_goes_too_far_and_why_the_rest_was_left() -> None:
    tags = [
        "1.27-alpine",
        "1.28-alpine",
        "1.29-alpine",
        "2.0-alpine",
        "1.26-alpine",
        "1.29",
        "latest",
        "1.30-rc1-alpine",
    ]
    text = "\n".join(explain("1.27-alpine", choose("1.27-alpine", tags, UpdateKind.MINOR)))
    assert text.splitlines() == [
        "1.27-alpine → 1.29-alpine (minor), chosen from 8 tags",
        "  2.0-alpine: not taken, a major update goes further than the rule allows",
        "  1.29-alpine: taken (minor)",
        "  1.28-alpine: not taken, there is a better one (minor)",
        "  1 not taken, a pre-release: 1.30-rc1-alpine",
        "  1 not taken, another prefix, suffix or variant: 1.29",
        "  1 not taken, no version in it: latest",
        "  1 not taken, not newer: 1.26-alpine",
        "  1 not taken, the tag in use: 1.27-alpine",
    ]


def test_an_explanation_agrees_with_an_outcome_that_had_to_take_the_next_best() -> None:
    choice = choose("1.27", ["1.28", "1.29", "1.30"], UpdateKind.MINOR)

    first, *rest = explain("1.27", choice, ready="1.29")
    held, *_ = explain("1.27", choice, ready="")

    assert first == "1.27 → 1.29 (minor), the best that is ready (better is 1.30) of 3 tags"
    assert [line.partition(",")[0].strip() for line in rest] == [
        "1.30: not taken",
        "1.29: taken (minor)",
        "1.28: not taken",
    ]
    assert "too young" in rest[0]
    assert held == "1.27 stays for now: of 3 tags, 1.30 is the best, and none is ready"


def test_a_list_of_a_hundred_thousand_tags_is_told_in_a_few_lines() -> None:
    choice = choose(
        "1.27.0", (f"1.{minor}.{patch}" for minor in range(200) for patch in range(500)), UpdateKind.MINOR
    )
    assert choice.tag == "1.199.499"
    assert choice.total == 100_000
    assert len(list(explain("1.27.0", choice))) < 20


def test_a_release_that_has_not_come_out_by_the_day_is_left_out() -> None:
    tags = ["26.04"]
    before = choose("24.04", tags, UpdateKind.MAJOR, repository="library/ubuntu", today=date(2026, 3, 1))
    after = choose("24.04", tags, UpdateKind.MAJOR, repository="library/ubuntu", today=date(2026, 5, 1))
    assert (before.tag, after.tag) == (None, "26.04")
