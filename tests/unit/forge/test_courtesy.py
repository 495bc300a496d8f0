"""What goes with a pull request on GitHub: reviewers, assignees, drafts, auto-merge, checks, evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ForgeRefused, ForgeUnavailable
from bot.forge.api import Connection
from bot.forge.auth import Access, AppAccess, TokenAccess
from bot.forge.budget import Budget
from bot.forge.github import GitHubForge
from bot.forge.installation import PERMISSIONS
from bot.model import marker
from bot.model.pulls import Annotation, Check, Conclusion
from bot.model.run import PublicationState, PullRequest
from bot.model.target import Project
from tests.github_server import GitHubServer, contract
from tests.unit.forge.keys import PRIVATE, PUBLIC

PROJECT = Project("acme/shop")
SLOT = marker.slot("acme/shop", "debian:12", ["Dockerfile"])
BRANCH = marker.branch(SLOT)
NEW = "FROM debian:12@sha256:1\n"


class World:
    """A server with one project, and a forge that works on it with a token or as an App."""

    def __init__(self, server: GitHubServer, folder: Path) -> None:
        self.server, self._folder = server, folder
        self.repo = server.create_repository(
            "acme/shop", {"Dockerfile": "FROM debian:12\n"}, roles={"refit": "write", "alice": "write"}
        )
        server.create_token()
        server.world.account("alice")
        self.connection = Connection(server.api, seconds_between_writes=0, pause=0.01)
        self.forge = self.as_token()

    def as_token(self) -> GitHubForge:
        return self._with(TokenAccess(self.connection, "ghp_refit"))

    def as_app(self, **permissions: str) -> GitHubForge:
        app = self.server.create_app("refit", PUBLIC, permissions or dict(PERMISSIONS))
        self.server.install(app, "acme")
        return self._with(AppAccess(self.connection, app.id, PRIVATE))

    def _with(self, access: Access) -> GitHubForge:
        self.forge = GitHubForge(self._folder, self.connection, access)
        return self.forge

    def wanted(self, **changes: object) -> PullRequest:
        checkout = self.forge.checkout(PROJECT)
        wanted = PullRequest(
            slot=SLOT,
            digest="sha256:1",
            branch=BRANCH,
            base="main",
            base_commit=checkout.commit,
            title="Bump debian",
            body=marker.marker(SLOT, "sha256:1"),
            message="Bump debian",
            files={"Dockerfile": NEW.encode()},
            base_tree=checkout.tree("."),
            modes={"Dockerfile": checkout.mode("Dockerfile")},
        )
        return replace(wanted, **changes)  # type: ignore[arg-type]  # a table of fields


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        made = World(server, tmp_path / "state")
        yield made
        made.forge.disconnect()
    server.assert_contract()


def check(commit: str, url: str, **changes: object) -> Check:
    note = Annotation("Dockerfile", 1, Conclusion.SUCCESS, "PASS: debian:12", "Fixes 3 critical.")
    made = Check("refit", commit, url, Conclusion.SUCCESS, "PASS: fine", "**Fine.**", "More.", (note,))
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of fields


# -- people -----------------------------------------------------------------------------------


def test_reviewers_and_assignees_are_asked_once_and_who_is_taken_off_stays_off(world: World) -> None:
    wanted = world.wanted(reviewers=("alice",), assignees=("alice",))
    published = world.forge.publish(PROJECT, wanted, None)
    issue = world.repo.issues[1]
    assert issue.pull is not None
    assert [one.login for one in issue.pull.reviewers] == ["alice"]
    assert [one.login for one in issue.assignees] == ["alice"]

    issue.pull.reviewers, issue.assignees = [], []
    world.forge.publish(PROJECT, replace(wanted, title="Bump debian again"), published)

    assert (issue.pull.reviewers, issue.assignees) == ([], [])


def test_a_reviewer_that_github_refuses_costs_the_courtesy_only(world: World) -> None:
    published = world.forge.publish(PROJECT, world.wanted(reviewers=("stranger",), labels=("docker",)), None)
    assert published.state is PublicationState.OPEN
    assert world.repo.issues[1].labels == ["docker"]


# -- drafts and auto-merge --------------------------------------------------------------------


def test_a_verdict_that_changed_makes_a_draft_ready_and_back(world: World) -> None:
    first = world.forge.publish(PROJECT, world.wanted(draft=True), None)
    was = [is_draft(world)]
    second = world.forge.publish(PROJECT, world.wanted(title="Now it passes"), first)
    was.append(is_draft(world))
    world.forge.publish(PROJECT, world.wanted(draft=True, title="Not any more"), second)
    assert [*was, is_draft(world)] == [True, False, True]


def is_draft(world: World) -> bool:
    pull = world.repo.issues[1].pull
    return pull is not None and pull.draft


def test_it_is_merged_by_itself_once_every_required_check_has_passed(world: World) -> None:
    world.repo.auto_merge, world.repo.required = True, {"ci", "refit"}
    published = world.forge.publish(PROJECT, world.wanted(auto_merge=True), None)
    world.forge.attest(PROJECT, check(published.commit, published.url))
    assert world.repo.issues[1].state == "open", "ci has said nothing yet"

    world.forge.attest(PROJECT, check(published.commit, published.url, name="ci"))

    assert world.server.read("acme/shop", "Dockerfile") == NEW.encode()
    found = world.forge.find(PROJECT, SLOT, BRANCH)
    assert found is not None
    assert found.state is PublicationState.MERGED


def test_where_nothing_is_required_it_stays_with_people(world: World) -> None:
    world.repo.auto_merge = True
    world.forge.publish(PROJECT, world.wanted(auto_merge=True), None)
    assert world.repo.issues[1].state == "open"
    pull = world.repo.issues[1].pull
    assert pull is not None
    assert pull.auto_merge is None


def test_auto_merge_is_taken_back_where_a_question_came_up(world: World) -> None:
    world.repo.auto_merge, world.repo.required = True, {"ci"}
    published = world.forge.publish(PROJECT, world.wanted(auto_merge=True), None)
    pull = world.repo.issues[1].pull
    assert pull is not None
    assert pull.auto_merge is not None

    world.forge.publish(PROJECT, world.wanted(title="Introduces one"), published)

    assert pull.auto_merge is None


# -- what is said -----------------------------------------------------------------------------


def test_an_app_writes_one_check_run_with_a_note_on_the_line(world: World) -> None:
    forge = world.as_app()
    published = forge.publish(PROJECT, world.wanted(), None)
    assert forge.attest(PROJECT, check(published.commit, published.url))
    assert forge.attest(PROJECT, check(published.commit, published.url))
    assert forge.attest(PROJECT, check(published.commit, published.url, conclusion=Conclusion.FAILURE))

    (run,) = world.repo.check_runs.values()

    assert (run.head_sha, run.fields["conclusion"]) == (published.commit, "failure")
    assert run.annotations == [
        {
            "path": "Dockerfile",
            "start_line": 1,
            "end_line": 1,
            "annotation_level": "notice",
            "title": "PASS: debian:12",
            "message": "Fixes 3 critical.",
        }
    ]


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_502_at_a_check_run_leaves_one(world: World, *, after_effect: bool) -> None:
    forge = world.as_app()
    published = forge.publish(PROJECT, world.wanted(), None)
    world.server.fail_next("POST", "/check-runs", 502, after_effect=after_effect)
    assert forge.attest(PROJECT, check(published.commit, published.url))
    assert len(world.repo.check_runs) == 1


def test_an_app_without_that_permission_says_the_gist_by_a_status(world: World) -> None:
    forge = world.as_app(**{key: level for key, level in PERMISSIONS.items() if key != "checks"})
    published = forge.publish(PROJECT, world.wanted(), None)
    assert not forge.attest(PROJECT, check(published.commit, published.url))
    assert [one.context for one in world.repo.statuses] == ["refit"]


def test_a_token_writes_one_status_and_one_comment(world: World) -> None:
    published = world.forge.publish(PROJECT, world.wanted(), None)
    for _ in range(2):
        assert not world.forge.attest(PROJECT, check(published.commit, published.url, title="x" * 300))
        world.forge.say(PROJECT, published.url, "evidence debian:12", "**Fine.**")

    (status,) = world.repo.statuses
    (comment,) = world.repo.comments.values()

    assert (status.state, len(status.description or "")) == ("success", 140)
    assert comment.body.endswith("**Fine.**")


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_502_at_a_comment_leaves_one(world: World, *, after_effect: bool) -> None:
    published = world.forge.publish(PROJECT, world.wanted(), None)
    world.server.fail_next("POST", "/comments", 502, after_effect=after_effect)
    world.forge.say(PROJECT, published.url, "closed", "Silent.")
    assert len(world.repo.comments) == 1


def test_somebody_who_copies_our_marker_is_not_taken_for_us(world: World) -> None:
    published = world.forge.publish(PROJECT, world.wanted(), None)
    world.forge.say(PROJECT, published.url, "closed", "Silent.")
    (ours,) = world.repo.comments.values()
    ours.user = world.server.world.account("mallory")
    world.forge.say(PROJECT, published.url, "closed", "Silent.")
    assert [one.user.login for one in world.repo.comments.values()] == ["mallory", "refit"]


def test_a_token_of_an_app_that_ran_out_in_the_middle_is_made_anew(world: World) -> None:
    forge = world.as_app()
    wanted = world.wanted()
    forge.open_pulls(PROJECT)
    run_out(world)

    published = forge.publish(PROJECT, wanted, None)
    run_out(world)
    assert forge.attest(PROJECT, check(published.commit, published.url))
    run_out(world)
    assert forge.find(PROJECT, SLOT, BRANCH) == published
    world.server.commit("acme/shop", {"more": "x"})
    run_out(world)
    assert "more" in forge.checkout(PROJECT).paths()
    assert len(world.repo.issues) == 1


def run_out(world: World) -> None:
    """Every token of an installation is unknown from now on."""
    for value in [value for value, token in world.server.world.tokens.items() if token.installation]:
        world.server.revoke_token(value)


def test_a_persons_token_that_is_unknown_is_an_error_at_once(world: World) -> None:
    wanted = world.wanted()
    world.server.revoke_token("ghp_refit")
    with pytest.raises(ForgeRefused) as caught:
        world.forge.publish(PROJECT, wanted, None)
    assert "make a new one" in caught.value.hint


def test_an_answer_that_is_slow_or_a_conflict_costs_nothing_that_was_done(world: World) -> None:
    world.server.fail_next("POST", "/git/trees", None, delay_seconds=0.5)
    world.server.fail_next("POST", "/git/refs", 502, after_effect=True)
    published = world.forge.publish(PROJECT, world.wanted(), None)
    world.server.fail_next("PATCH", "/git/refs", 409)
    newer = world.wanted(digest="sha256:2", files={"Dockerfile": b"FROM debian:12@sha256:2\n"})
    with pytest.raises(ForgeRefused, match="409"):
        world.forge.publish(PROJECT, newer, published)
    again = world.forge.publish(PROJECT, newer, published)
    assert (again.url, again.digest) == (published.url, "sha256:2")
    assert len(world.repo.issues) == 1


# -- everybody's ------------------------------------------------------------------------------


def test_others_pull_requests_are_seen_with_what_they_change(world: World) -> None:
    world.server.create_token("alice", "ghp_alice")
    world.server.commit("acme/shop", {"Dockerfile": NEW, "web.txt": "x"}, branch="renovate/debian")
    alice = TokenAccess(world.connection, "ghp_alice")
    alice.client("acme/shop").get_repo("acme/shop").create_pull("main", "renovate/debian", title="Bump")
    alice.disconnect()
    world.forge.publish(PROJECT, world.wanted(), None)

    ours, theirs = world.forge.open_pulls(PROJECT)
    proposal = world.forge.proposal(PROJECT, theirs, ["Dockerfile"])

    assert ours.ours is not None
    assert (theirs.author, theirs.trusted, theirs.ours) == ("alice", True, None)
    assert (proposal.files, proposal.others) == ({"Dockerfile": NEW.encode()}, ("web.txt",))


def test_a_new_pull_request_takes_few_requests(world: World) -> None:
    wanted = world.wanted(labels=("docker",))
    world.forge.open_pulls(PROJECT)
    world.server.exchanges.clear()

    published = world.forge.publish(PROJECT, wanted, None)
    world.forge.attest(PROJECT, check(published.commit, published.url))

    assert len(world.server.exchanges) <= 8, [str(one) for one in world.server.exchanges]


# -- the pace ---------------------------------------------------------------------------------


def test_the_budget_waits_where_a_minute_is_full_and_gives_up_where_an_hour_is() -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    budget = Budget(sleep, clock=lambda: now[0], most=120.0)
    with pytest.raises(ForgeUnavailable, match="publish budget"):
        spend(budget, 500)
    assert slept
    assert max(slept) <= 120
    assert now[0] < 3600


def spend(budget: Budget, times: int) -> None:
    for _ in range(times):
        budget.spend()
