"""Issues, comments, labels, reactions, statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github import GithubException

from tests.unit.github_server.conftest import Api, bump

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github
    from github.Repository import Repository

    from tests.github_server import GitHubServer

_ISSUES = "/repos/acme/shop/issues"


def test_issues_are_found_by_label_state_and_creator(
    github: GitHubServer, shop: Repository, connect: Callable[[str], Github]
) -> None:
    shop.create_issue("Sizes of 2026Q3", labels=["refit", "Report"])
    shop.create_issue("Blocked", labels=["refit"]).edit(state="closed", state_reason="not_planned")
    theirs = connect(github.create_token("mallory", "ghp_mallory"))
    mallory = theirs.get_user("mallory")
    theirs.get_repo("acme/shop").create_issue("Me too", labels=["refit"])
    titles = {
        "labels": [issue.title for issue in shop.get_issues(labels=["refit", "report"])],
        "closed": [issue.title for issue in shop.get_issues(state="closed")],
        "creator": [issue.title for issue in shop.get_issues(creator=mallory)],
    }
    assert titles == {"labels": ["Sizes of 2026Q3"], "closed": ["Blocked"], "creator": ["Me too"]}
    assert shop.get_issue(2).state_reason == "not_planned"
    assert shop.get_issue(3).labels == []  # only those who may push set labels


def test_issues_and_pull_requests_share_their_numbers(shop: Repository) -> None:
    first = shop.create_issue("One")
    bump(shop, "refit/debian")
    second = shop.create_pull(base="main", head="refit/debian", title="Two", body="")
    assert (first.number, second.number) == (1, 2)
    assert [issue.pull_request is not None for issue in shop.get_issues(direction="asc")] == [False, True]


def test_a_comment_is_written_edited_and_deleted(shop: Repository) -> None:
    issue = shop.create_issue("One")
    comment = issue.create_comment("first")
    comment.edit("second")
    assert [one.body for one in issue.get_comments()] == ["second"]
    assert shop.get_issue(1).comments == 1
    comment.delete()
    assert list(issue.get_comments()) == []


def test_a_reaction_of_one_person_counts_once(shop: Repository) -> None:
    comment = shop.create_issue("One").create_comment("/refit rescan")
    for _ in range(2):
        comment.create_reaction("eyes")
    assert [(one.content, one.user.login) for one in comment.get_reactions()] == [("eyes", "refit")]


def test_labels_are_made_found_replaced_and_removed(shop: Repository) -> None:
    shop.create_label("refit", "0e8a16", "made by Refit")
    issue = shop.create_issue("One")
    issue.add_to_labels("Refit", "new one")
    assert [(label.name, label.color) for label in issue.get_labels()] == [
        ("refit", "0e8a16"),
        ("new one", "ededed"),
    ]
    issue.remove_from_labels("new one")
    assert [label.name for label in shop.get_issue(1).labels] == ["refit"]
    issue.set_labels("other")
    assert [label.name for label in shop.get_issue(1).labels] == ["other"]
    assert shop.get_label("REFIT").description == "made by Refit"


_REFUSALS = [
    ("an issue without a title", "POST", _ISSUES, {"body": "x"}, 422, '"title" wasn\'t supplied'),
    ("a title that is null", "POST", _ISSUES, {"title": None}, 422, "nil is not a string"),
    ("an issue that is too long", "POST", _ISSUES, {"title": "t", "body": "x" * 65_537}, 422, "Validation"),
    (
        "a comment that is too long",
        "POST",
        f"{_ISSUES}/1/comments",
        {"body": "x" * 65_537},
        422,
        "Validation",
    ),
    ("a comment without text", "POST", f"{_ISSUES}/1/comments", {"body": " "}, 422, "Validation Failed"),
    ("a comment on nothing", "POST", f"{_ISSUES}/9/comments", {"body": "x"}, 404, "Not Found"),
    ("a label twice", "POST", "/repos/acme/shop/labels", {"name": "BUG"}, 422, "Validation Failed"),
    ("an unknown label", "DELETE", f"{_ISSUES}/1/labels/none", None, 404, "Label does not exist"),
    ("an unknown repository", "GET", "/repos/acme/none", None, 404, "Not Found"),
    ("an unknown path", "GET", "/none", None, 404, "Not Found"),
    (
        "a status of no commit",
        "POST",
        f"/repos/acme/shop/statuses/{'0' * 40}",
        {"state": "success"},
        422,
        "No commit",
    ),
    (
        "a check run by a person",
        "POST",
        "/repos/acme/shop/check-runs",
        {"name": "a", "head_sha": "b"},
        403,
        "App",
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [row[1:] for row in _REFUSALS],
    ids=[row[0] for row in _REFUSALS],
)
def test_what_github_refuses_is_refused_with_its_status_and_words(
    api: Api,
    github: GitHubServer,
    shop: Repository,
    *,
    method: str,
    path: str,
    body: dict[str, str] | None,
    status: int,
    words: str,
) -> None:
    shop.create_issue("One", labels=["bug"])
    answer = api(method, path, body)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    repo = github.repository("acme/shop")
    assert (len(repo.issues), len(repo.comments), list(repo.labels)) == (1, 0, ["bug"])


def test_the_latest_status_of_each_context_counts(shop: Repository) -> None:
    commit = shop.get_commit("main")
    assert commit.get_combined_status().state == "pending"
    for context, state in (("refit", "pending"), ("ci", "success"), ("refit", "success")):
        commit.create_status(state, context=context, description="10 s")
    assert (commit.get_combined_status().state, commit.get_combined_status().total_count) == ("success", 2)
    assert [one.state for one in commit.get_statuses()] == ["success", "success", "pending"]


def test_permission_is_that_of_the_role(github: GitHubServer, shop: Repository) -> None:
    github.create_token("mallory", "ghp_mallory")
    asked = {name: shop.get_collaborator_permission(name) for name in ("acme", "refit", "mallory")}
    assert asked == {"acme": "admin", "refit": "write", "mallory": "read"}
    with pytest.raises(GithubException, match="404"):
        shop.get_collaborator_permission("nobody")
