"""What registries say is left of their limits, and what is still sent within them."""

from __future__ import annotations

import httpx2 as httpx
import pytest

from bot.registry.budget import Budget, Quota, quota

NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "98;w=21600"},
                     Quota(98, 100, 21600.0), id="Docker Hub"),
        pytest.param({"ratelimit-limit": "500", "ratelimit-remaining": "0", "ratelimit-reset": "37"},
                     Quota(0, 500, 37.0), id="seconds to a reset"),
        pytest.param({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "7",
                      "X-RateLimit-Reset": str(int(NOW) + 90)}, Quota(7, 60, 90.0), id="a moment"),
        pytest.param({"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1700000000"},
                     Quota(7, None, 0.0), id="a moment that has passed"),
        pytest.param({"RateLimit": "limit=100, remaining=50, reset=5"}, Quota(50, 100, 5.0),
                     id="one header, as drafted first"),
        pytest.param({"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"default";q=100;w=60'},
                     Quota(50, 100, 30.0), id="one header and its policy, as drafted last"),
        pytest.param({"RateLimit-Remaining": "7"}, Quota(7), id="no limit given"),
        pytest.param({"RateLimit-Limit": "10, 10;w=1, 50;w=60", "RateLimit-Remaining": "9"},
                     Quota(9, 10, 60.0), id="several policies: the longest counts"),
        pytest.param({"RateLimit-Limit": "100;w=21600"}, None, id="nothing about what is left"),
        pytest.param({"RateLimit-Limit": "many", "RateLimit-Remaining": "few"}, None, id="words"),
        pytest.param({"RateLimit-Remaining": "9" * 5000}, None, id="a number without end"),
        pytest.param({}, None, id="nothing"),
    ],
)  # fmt: skip
def test_what_is_left_is_read_in_every_shape(headers: dict[str, str], expected: Quota | None) -> None:
    assert quota(httpx.Headers(headers), NOW) == expected


@pytest.mark.parametrize(
    ("said", "shown"), [(Quota(98, 100), "98/100"), (Quota(0, 100), "0/100"), (Quota(7), "7")]
)
def test_what_is_left_reads_as_people_read_it(said: Quota, shown: str) -> None:
    assert str(said) == shown


def test_without_a_word_about_a_limit_nothing_is_limited() -> None:
    assert Budget().room("GET", 0.0) is None


def test_a_tenth_of_the_limit_is_left_for_the_pulls_of_this_machine() -> None:
    budget = Budget()
    budget.told("GET", Quota(12, 100, 3600), 0.0)

    assert budget.room("GET", 1.0) == 2
    budget.told("GET", Quota(10, 100, 3600), 1.0)
    assert budget.room("GET", 2.0) == 0


@pytest.mark.parametrize(("limit", "kept"), [(None, 0), (3, 1), (100, 10), (200, 20), (5000, 20)])
def test_of_a_large_limit_a_few_are_enough_to_keep(limit: int | None, kept: int) -> None:
    budget = Budget()
    budget.told("GET", Quota(3, limit), 0.0)

    assert budget.kept == kept


def test_heads_are_free_once_one_was_seen_to_be_free() -> None:
    budget = Budget()
    budget.told("HEAD", Quota(0, 100, 3600), 0.0)
    assert budget.room("HEAD", 1.0) == 1, "one at a time, as long as it is not known"
    budget.told("HEAD", Quota(0, 100, 3600), 1.0)

    assert budget.room("HEAD", 2.0) is None
    assert budget.room("GET", 2.0) == 0


def test_heads_are_counted_once_one_was_seen_to_be_counted() -> None:
    budget = Budget()
    budget.told("HEAD", Quota(20, 100, 3600), 0.0)
    budget.told("HEAD", Quota(19, 100, 3600), 1.0)

    assert budget.room("HEAD", 2.0) == 9


def test_a_get_in_between_teaches_nothing_about_heads() -> None:
    budget = Budget()
    budget.told("HEAD", Quota(20, 100, 3600), 0.0)
    budget.told("GET", None, 1.0)
    budget.told("HEAD", Quota(19, 100, 3600), 2.0)

    assert budget.room("HEAD", 3.0) == 1


def test_a_quota_is_believed_until_it_is_whole_again() -> None:
    budget = Budget()
    budget.told("GET", Quota(0, 100, 3600), 0.0)

    assert budget.room("GET", 3599.0) == 0
    assert budget.room("GET", 3600.0) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (45.0, ", for another 45 s"),
        (700.0, ", for another 12 min"),
        (21600.0, ", for another 6 h"),
        (None, ""),
    ],
)
def test_why_nothing_more_is_sent_is_told_in_words(seconds: float | None, shown: str) -> None:
    budget = Budget()
    budget.told("GET", Quota(10, 100, seconds), 0.0)

    assert budget.exhausted("docker.io", 0.0) == (
        f"docker.io has 10/100 requests left{shown}: kept for pulls, so this one was not sent"
    )
