"""Faults on demand, and the log that tests count in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from github import GithubException, RateLimitExceededException

from tests.unit.github_server.conftest import Api, bump

if TYPE_CHECKING:
    from github.Repository import Repository

    from tests.github_server import GitHubServer

_ISSUES = "/repos/acme/shop/issues"


@pytest.mark.parametrize(("after_effect", "left"), [(True, ["One"]), (False, [])])
def test_a_502_comes_with_or_without_the_effect(
    github: GitHubServer, shop: Repository, *, after_effect: bool, left: list[str]
) -> None:
    github.fail_next("POST", "/issues$", 502, after_effect=after_effect)
    with pytest.raises(GithubException, match="502"):
        shop.create_issue("One")
    assert [issue.title for issue in shop.get_issues()] == left


def test_a_502_after_the_effect_leaves_one_pull_request(github: GitHubServer, shop: Repository) -> None:
    bump(shop, "refit/debian")
    github.fail_next("POST", "/pulls$", 502, after_effect=True)
    with pytest.raises(GithubException, match="502"):
        shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    with pytest.raises(GithubException, match="already exists"):
        shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    assert [pull.title for pull in shop.get_pulls(head="acme:refit/debian")] == ["Bump"]


def test_a_fault_is_used_up_and_meets_only_its_requests(github: GitHubServer, api: Api) -> None:
    github.fail_next("POST", "/issues$", 503, times=2)
    assert api("GET", _ISSUES).status_code == 200
    statuses = [api("POST", _ISSUES, {"title": "x"}).status_code for _ in range(3)]
    assert statuses == [503, 503, 201]


def test_both_limits_look_like_githubs(github: GitHubServer, shop: Repository, api: Api) -> None:
    github.secondary_limit("POST", "/issues$", retry_after=7)
    answer = api("POST", _ISSUES, {"title": "x"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in answer.json()["message"]
    github.primary_limit("POST", "/issues$", reset_in=30)
    with pytest.raises(RateLimitExceededException) as raised:
        shop.create_issue("x")
    headers = raised.value.headers or {}
    assert headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(headers["x-ratelimit-reset"]) - time.time() <= 30
    assert list(shop.get_issues()) == []


def test_a_slow_answer_is_the_true_one(github: GitHubServer, shop: Repository) -> None:
    github.fail_next("GET", "/branches/main$", None, delay_seconds=0.05)
    assert shop.get_branch("main").name == "main"


def test_every_exchange_is_logged_and_writes_are_told_apart(github: GitHubServer, api: Api) -> None:
    github.exchanges.clear()
    api("GET", _ISSUES)
    api("POST", _ISSUES, {"title": "x"})
    github.fail_next("PATCH", "/issues/1", 502)
    api("PATCH", f"{_ISSUES}/1", {"state": "closed"})
    assert [str(exchange) for exchange in github.exchanges] == [
        "GET /repos/acme/shop/issues → 200",
        "POST /repos/acme/shop/issues → 201",
        "PATCH /repos/acme/shop/issues/1 → 502",
    ]
    assert [(e.method, e.request, e.login, e.fault) for e in github.writes()] == [
        ("POST", {"title": "x"}, "refit", False),
        ("PATCH", {"state": "closed"}, "refit", True),
    ]


def test_the_git_protocol_fails_on_demand_too(github: GitHubServer, shop: Repository) -> None:
    github.fail_next("GET", "git-upload-pack|info/refs", 503)
    answer = Api(github.origin, None)("GET", "/acme/shop.git/info/refs?service=git-upload-pack")
    assert answer.status_code == 503
    assert shop.get_branch("main").name == "main"
