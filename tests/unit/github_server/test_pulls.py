"""Pull requests: opened once, merged for real, and moved by what is pushed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException

from tests.unit.github_server.conftest import DOCKERFILE, Api, bump

if TYPE_CHECKING:
    from github.Repository import Repository

    from tests.github_server import GitHubServer

_PULLS = "/repos/acme/shop/pulls"


def test_a_pull_request_is_opened_listed_and_shows_its_one_line(shop: Repository) -> None:
    head = bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump debian", body="why")
    made.add_to_labels("dependencies", "docker")
    listed = list(shop.get_pulls(state="open", head="acme:refit/debian"))
    assert [(pull.number, pull.head.sha, pull.user.login) for pull in listed] == [
        (made.number, head, "refit")
    ]
    assert [label.name for label in shop.get_pull(made.number).labels] == ["dependencies", "docker"]
    assert [file.patch for file in made.get_files()] == [
        (
            "@@ -1,2 +1,2 @@\n"
            "-FROM debian:bookworm-slim@sha256:old\n"
            "+FROM debian:bookworm-slim@sha256:new\n"
            " RUN true"
        )
    ]
    assert [commit.sha for commit in made.get_commits()] == [head]
    assert shop.get_pull(made.number).mergeable is True


def test_of_two_equal_pull_requests_the_second_is_refused(api: Api, shop: Repository) -> None:
    bump(shop, "refit/debian")
    wish = {"base": "main", "head": "refit/debian", "title": "Bump"}
    assert api("POST", _PULLS, wish).status_code == 201
    second = api("POST", _PULLS, wish)
    text = "A pull request already exists for acme:refit/debian."
    assert second.status_code == 422
    assert second.json()["errors"] == [{"resource": "PullRequest", "code": "custom", "message": text}]
    assert len(list(shop.get_pulls())) == 1


def test_of_many_at_once_one_opens_it(api: Api, shop: Repository) -> None:
    bump(shop, "refit/debian")
    wish = {"base": "main", "head": "refit/debian", "title": "Bump"}
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: api("POST", _PULLS, wish).status_code, range(8)))
    assert sorted(statuses) == [201] + [422] * 7
    assert len(list(shop.get_pulls(state="all"))) == 1


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param({"head": "same"}, "message", "No commits between main and same", id="no commits"),
        pytest.param({"head": "gone"}, "field", "head", id="an unknown head"),
        pytest.param({"base": "gone"}, "field", "base", id="an unknown base"),
        pytest.param({"title": " "}, "code", "missing_field", id="a blank title"),
        pytest.param({"body": "x" * 65_537}, "message", "too long (maximum is 65536", id="a body too long"),
    ],
)
def test_a_pull_request_is_refused(
    api: Api, shop: Repository, change: dict[str, str], field: str, words: str
) -> None:
    bump(shop, "refit/debian")
    shop.create_git_ref("refs/heads/same", shop.get_branch("main").commit.sha)
    answer = api("POST", _PULLS, {"base": "main", "head": "refit/debian", "title": "Bump"} | change)
    assert answer.status_code == 422
    assert words in answer.json()["errors"][0][field]
    assert list(shop.get_pulls(state="all")) == []


def test_a_body_of_exactly_the_limit_is_taken(shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="é" * 65_536)
    assert len(made.body) == 65_536


def test_drafts_are_refused_where_the_plan_has_none(api: Api, github: GitHubServer, shop: Repository) -> None:
    bump(shop, "refit/debian")
    wish = {"base": "main", "head": "refit/debian", "title": "Bump", "draft": True}
    github.repository("acme/shop").drafts_refused = True
    refused = api("POST", _PULLS, wish)
    assert (refused.status_code, refused.json()["message"]) == (
        422,
        "Draft pull requests are not supported in this repository.",
    )
    github.repository("acme/shop").drafts_refused = False
    assert api("POST", _PULLS, wish).json()["draft"] is True


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_a_merge_really_happens(github: GitHubServer, shop: Repository, method: str, parents: int) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    github.commit("acme/shop", {"README.md": "meanwhile"})
    assert made.merge(merge_method=method).merged
    assert github.read("acme/shop", "backend/Dockerfile").decode() == DOCKERFILE.replace("old", "new")
    assert github.read("acme/shop", "README.md") == b"meanwhile"
    tip = shop.get_git_commit(shop.get_branch("main").commit.sha)
    assert len(tip.parents) == parents
    again = shop.get_pull(made.number)
    assert (again.state, again.merged, again.merge_commit_sha) == ("closed", True, tip.sha)


def test_a_conflict_is_seen_and_not_merged(github: GitHubServer, shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    tip = github.commit("acme/shop", {"backend/Dockerfile": "FROM elsewhere\n"})
    seen = shop.get_pull(made.number)
    assert (seen.mergeable, seen.mergeable_state) == (False, "dirty")
    for method in ("merge", "squash", "rebase"):
        with pytest.raises(GithubException, match=r"405.*not mergeable"):
            made.merge(merge_method=method)
    assert shop.get_branch("main").commit.sha == tip


def test_a_merge_of_another_head_than_named_is_refused(shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    with pytest.raises(GithubException, match=r"409.*Head branch was modified"):
        made.merge(sha="0" * 40)
    assert shop.get_pull(made.number).state == "open"


def test_a_pull_request_is_closed_and_opened_again(shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    made.edit(state="closed")
    assert list(shop.get_pulls()) == []
    assert [pull.merged_at for pull in shop.get_pulls(state="closed")] == [None]
    made.edit(state="open", title="Bump again")
    assert [pull.title for pull in shop.get_pulls()] == ["Bump again"]


def test_a_closed_pull_request_whose_branch_is_gone_stays_closed(shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    shop.get_git_ref("heads/refit/debian").delete()
    assert shop.get_pull(made.number).state == "closed"
    with pytest.raises(GithubException, match="state cannot be changed"):
        made.edit(state="open")


def test_a_push_of_the_head_to_the_base_merges_it(github: GitHubServer, shop: Repository) -> None:
    head = bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    shop.get_git_ref("heads/main").edit(head)
    assert shop.get_pull(made.number).merged
    assert github.read("acme/shop", "backend/Dockerfile").decode() == DOCKERFILE.replace("old", "new")


def test_the_same_bytes_merged_by_somebody_else_leave_it_open(github: GitHubServer, shop: Repository) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    github.commit("acme/shop", {"backend/Dockerfile": DOCKERFILE.replace("old", "new")})
    assert shop.get_pull(made.number).state == "open"


def test_a_renamed_default_branch_takes_its_pull_requests_along(
    github: GitHubServer, shop: Repository
) -> None:
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    github.rename_default_branch("acme/shop", "trunk")
    seen = shop.get_pull(made.number)
    assert (seen.state, seen.base.ref) == ("open", "trunk")


def test_a_list_comes_in_pages(shop: Repository) -> None:
    for number in range(5):
        bump(shop, f"refit/{number}", f"FROM x{number}\n")
        shop.create_pull(base="main", head=f"refit/{number}", title=f"Bump {number}", body="")
    shop._requester.per_page = 2  # PyGithub has no public way to set it on a repository
    pulls = shop.get_pulls(state="all", sort="created", direction="asc")
    assert [pull.number for pull in pulls] == [1, 2, 3, 4, 5]


def test_reviewers_must_be_collaborators(github: GitHubServer, shop: Repository) -> None:
    github.create_token("carol", "ghp_carol")
    github.repository("acme/shop").roles["carol"] = "write"
    bump(shop, "refit/debian")
    made = shop.create_pull(base="main", head="refit/debian", title="Bump", body="")
    made.create_review_request(reviewers=["carol"])
    made.add_to_assignees("carol", "stranger")
    assert [user.login for user in shop.get_pull(made.number).requested_reviewers] == ["carol"]
    assert [user.login for user in shop.get_pull(made.number).assignees] == ["carol"]
    for login, words in (
        ("refit", "from pull request author"),
        ("stranger", "only be requested from collab"),
    ):
        with pytest.raises(GithubException, match=words):
            made.create_review_request(reviewers=[login])


def test_an_unchanged_answer_is_304_and_not_counted(api: Api) -> None:
    first = api("GET", _PULLS)
    used: list[Any] = [first.headers["x-ratelimit-used"]]
    second = api("GET", _PULLS, **{"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert api("GET", _PULLS).headers["x-ratelimit-used"] == str(int(used[0]) + 1)
