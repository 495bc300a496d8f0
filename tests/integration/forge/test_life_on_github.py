"""The life of pull requests on GitHub: on the tests' own server, and on somebody else's emulator.

The cycle is the real one, and so is all that speaks to GitHub; registry and scanner are in memory. What
people do they do through GitHub's API, as somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from github import Auth, Github, InputGitTreeElement
from github.PullRequest import PullRequest as Pull
from github.Repository import Repository

from bot.cycle.monthly import run_cycle
from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.github import GitHubForge
from bot.model.run import PublicationKind, PublicationState, RunResult
from bot.model.target import Project, Target
from bot.model.update import outcome_reason
from tests.github_server import GitHubServer, contract
from tests.integration.forge.emulator import DIFFERENCES, emulator
from tests.unit.cycle.house import IMAGE, NOW, House, house, moved

PROJECT = Project("acme/shop")
FILE = "api/Dockerfile"
NO_STATUSES: list[tuple[str, str]] = []  # the emulator has none: a refusal, which costs the status only


@dataclass
class Town:
    """GitHub, a person there, and a house of fakes whose forge is GitHub."""

    api: str
    folder: Path
    shop: House
    old: str
    new: str
    emulated: bool = False
    project: Project = PROJECT
    clients: list[Github] = field(default_factory=list)
    forges: list[GitHubForge] = field(default_factory=list)

    def alice(self) -> Repository:
        """The project, as somebody else sees it."""
        self.clients.append(Github(auth=Auth.Token("ghp_alice"), base_url=self.api, seconds_between_writes=0))
        return self.clients[-1].get_repo("acme/shop")

    def write(self, path: str, text: str, branch: str = "main") -> None:
        """Somebody commits a file."""
        repo = self.alice()
        there = [item for item in repo.get_git_tree(branch, recursive=True).tree if item.path == path]
        if there:
            sha = there[0].sha
            assert sha is not None
            repo.update_file(path, "Change", text, sha, branch=branch)
        else:
            repo.create_file(path, "Add", text, branch=branch)

    def text(self, digest: str) -> str:
        return f"FROM {IMAGE}@{digest}\nHEALTHCHECK CMD true\n"

    def read(self, ref: str, path: str = FILE) -> str:
        content = self.alice().get_contents(path, ref=ref)
        assert not isinstance(content, list)
        return content.decoded_content.decode()

    def run(self, who: str = "one") -> RunResult:
        """A whole cycle; another `who` is another machine with a state of its own."""
        connection = Connection(self.api, seconds_between_writes=0, pause=0.01)
        forge = GitHubForge(self.folder / who, connection, TokenAccess(connection, "ghp_refit"))
        self.forges.append(forge)
        parts = self.shop.parts() if who == "one" else house(self.folder / who, {}).parts()
        made = replace(
            parts,
            registry=self.shop.registry,
            projects=(self.project,),
            forges={"acme/shop": forge},
            builder=None,
            no_builder="there is no engine",
        )
        return run_cycle(made).result

    def push_newer(self) -> str:
        """The image moves again."""
        return self.shop.registry.push(IMAGE, "newer", created=NOW - timedelta(days=5), layers=("newer",))

    def pulls(self) -> list[Pull]:
        """Every pull request, oldest first."""
        return sorted(self.alice().get_pulls(state="all"), key=lambda pull: pull.number)

    def pull(self) -> Pull:
        (pull,) = self.pulls()
        return pull

    def branches(self) -> list[str]:
        return [one.name for one in self.alice().get_branches() if one.name.startswith("refit/")]

    def keeps_only(self, *branches: str) -> bool:
        """Whether no other branch of ours is left; the emulator's are taken for somebody's, and stay."""
        return self.emulated or self.branches() == list(branches)

    def said(self, number: int) -> list[str]:
        url = f"/repos/acme/shop/issues/{number}/comments"
        _, said = self.alice().requester.requestJsonAndCheck("GET", url)
        return [one["body"] for one in said]

    def statuses(self, sha: str) -> list[tuple[str, str]]:
        """What is said on a commit."""
        if self.emulated:
            return NO_STATUSES
        url = f"/repos/acme/shop/commits/{sha}/statuses"
        _, said = self.alice().requester.requestJsonAndCheck("GET", url)
        return [(one["context"], one["state"]) for one in said]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        for forge in self.forges:
            forge.disconnect()


def own_server(folder: Path, stack: ExitStack) -> str:
    server = stack.enter_context(GitHubServer(folder / "github", contract.fetched()))
    stack.callback(server.assert_contract)
    server.create_repository("acme/shop", {"README.md": "Hi\n"}, roles={"refit": "write", "alice": "write"})
    server.create_token()
    server.create_token("alice", "ghp_alice")
    return server.api


def the_emulator(folder: Path, stack: ExitStack) -> str:
    (folder / "emulator").mkdir()
    return stack.enter_context(emulator(folder / "emulator"))


SIDES: dict[str, Callable[[Path, ExitStack], str]] = {"server": own_server, "emulator": the_emulator}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each scenario on both, but for what is named as a difference."""
    if "town" in metafunc.fixturenames:
        differs = metafunc.function.__name__ in DIFFERENCES
        metafunc.parametrize("town", ["server"] if differs else list(SIDES), indirect=True)


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        api = SIDES[request.param](tmp_path, stack)
        shop = house(tmp_path / "one", {})
        old, new = moved(shop)
        made = Town(api, tmp_path, shop, old, new, emulated=request.param == "emulator")
        made.write(FILE, made.text(old))
        yield made
        made.close()


def test_an_update_is_one_branch_with_one_commit_and_one_pull_request(town: Town) -> None:
    (update,) = town.run().updates

    pull = town.pull()
    assert update.publication is not None
    assert update.publication.url == pull.html_url
    assert (pull.user.login, pull.state, pull.base.ref) == ("refit", "open", "main")
    assert town.branches() == [pull.head.ref]
    assert {label.name for label in pull.labels} == {"dependencies", "docker"}
    assert [file.filename for file in pull.get_files()] == ([] if town.emulated else [FILE])
    assert town.read(pull.head.ref) == town.text(town.new)
    assert town.statuses(pull.head.sha) in ([("refit", "success")], NO_STATUSES)


def test_a_second_run_and_a_second_machine_change_nothing(town: Town) -> None:
    town.run()
    before = town.pull()

    town.run()
    town.run("two")

    after = town.pull()
    assert (after.head.sha, after.body, after.title) == (before.head.sha, before.body, before.title)
    assert town.said(after.number) == []
    assert len(town.statuses(after.head.sha)) <= 1


def test_two_machines_at_once_make_one(town: Town) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(town.run, ["one", "two"]))

    pull = town.pull()
    assert len(town.branches()) == 1
    urls = {one.publication.url for result in results for one in result.updates if one.publication}
    assert urls == {pull.html_url}


def test_an_image_that_moves_again_updates_it_in_place(town: Town) -> None:
    town.run()
    newer = town.push_newer()

    town.run()

    assert town.read(town.pull().head.ref) == town.text(newer)
    assert town.pull().get_commits().totalCount == 1


def test_a_build_context_that_moved_moves_the_branch(town: Town) -> None:
    town.run()
    before = town.pull().head.sha
    town.write("api/main.rs", "fn main() {}\n")

    town.run()

    head = town.pull().head
    assert head.sha != before
    assert town.read(head.ref, "api/main.rs") == "fn main() {}\n"
    assert town.read(head.ref) == town.text(town.new)


@pytest.mark.parametrize("closed", [False, True])
def test_a_target_that_gets_another_name_keeps_its_pull_request(town: Town, *, closed: bool) -> None:
    town.run()
    before = town.pull()
    if closed:
        town.alice().get_pull(before.number).edit(state="closed")
    backend = Target("acme/shop", "backend", FILE, "api")
    town.project = replace(PROJECT, targets=(backend,))

    town.run()

    after = town.pull()
    assert (after.number, after.head.ref) == (before.number, before.head.ref)
    assert after.state == ("closed" if closed else "open")
    assert closed or town.emulated or " in backend" in after.title


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merged_in_any_way_it_is_done_and_its_branch_goes(town: Town, method: str) -> None:
    town.run()
    number = town.pull().number
    town.alice().get_pull(number).merge(merge_method=method)

    result = town.run()

    assert [one.outcome.word for one in result.decided] == ["current"]
    assert town.keeps_only()
    (recorded,) = [one for one in town.shop.store.publications() if one.kind is PublicationKind.PULL_REQUEST]
    assert recorded.state is PublicationState.MERGED
    assert town.pull().number == number


def test_a_change_that_somebody_makes_by_hand_closes_it_with_the_reason(town: Town) -> None:
    town.run()
    town.write(FILE, town.text(town.new))

    town.run()

    assert town.pull().state == "closed"
    assert "holds" in town.said(town.pull().number)[-1]
    assert town.keeps_only()


def test_one_that_a_person_pushed_to_is_left_alone_and_told_once(town: Town) -> None:
    town.run()
    town.write("mine.txt", "Mine.\n", branch=town.pull().head.ref)
    mine = town.pull().head.sha
    town.push_newer()

    for _ in range(2):
        result = town.run()
        assert "somebody pushed" in (outcome_reason(result.decided[0].outcome) or "")

    assert town.pull().head.sha == mine
    assert [text.partition(" ")[0] for text in town.said(town.pull().number)] == ["<!--"]


def test_one_that_a_person_rewrote_by_force_is_left_alone(town: Town) -> None:
    town.run()
    repo, head = town.alice(), town.pull().head
    base = repo.get_git_commit(repo.get_branch("main").commit.sha)
    element = InputGitTreeElement(FILE, "100644", "blob", content="FROM scratch\n")
    tree = repo.create_git_tree([element], base_tree=base.tree)
    mine = repo.create_git_commit("Mine", tree, [base]).sha
    repo.get_git_ref(f"heads/{head.ref}").edit(mine, force=True)
    town.push_newer()

    town.run()

    assert town.pull().head.sha == mine
    assert len(town.said(town.pull().number)) == 1


def test_one_that_a_person_closed_stays_so_until_the_image_moves(town: Town) -> None:
    town.run()
    first = town.pull().number
    town.alice().get_pull(first).edit(state="closed")

    for _ in range(2):
        town.run()

    (told,) = town.said(first)
    assert "reopen it" in told
    town.push_newer()
    town.run()
    assert [pull.state for pull in town.pulls()] == ["closed", "open"]


def test_one_that_is_reopened_is_looked_after_again(town: Town) -> None:
    town.run()
    town.alice().get_pull(town.pull().number).edit(state="closed")
    town.run()
    town.alice().get_pull(town.pull().number).edit(state="open")
    newer = town.push_newer()

    town.run()

    assert town.read(town.pull().head.ref) == town.text(newer)


def test_the_same_change_by_somebody_else_gets_the_evidence(town: Town) -> None:
    repo = town.alice()
    repo.create_git_ref("refs/heads/renovate/debian", repo.get_branch("main").commit.sha)
    town.write(FILE, town.text(town.new), branch="renovate/debian")
    theirs = repo.create_pull("main", "renovate/debian", title="Update debian", body="By a robot.")

    for _ in range(2):
        (update,) = town.run().updates

    assert update.publication is not None
    assert update.publication.kind is PublicationKind.EVIDENCE
    assert town.pull().number == theirs.number
    (comment,) = town.said(theirs.number)
    assert "**PASS**" in comment
    assert town.statuses(town.pull().head.sha) in ([(f"refit: {IMAGE}", "success")], NO_STATUSES)


def test_a_second_file_supersedes_with_a_link(town: Town) -> None:
    town.run()
    town.write("web/Dockerfile", town.text(town.old))

    town.run()

    first, second = town.pulls()
    assert (first.state, second.state) == ("closed", "open")
    assert second.html_url in town.said(first.number)[-1]
    assert town.keeps_only(second.head.ref)


def test_an_abandoned_tag_is_one_issue_that_is_closed_when_solved(town: Town) -> None:
    town.shop.registry.push("nginx:1.27-alpine", "old", created=NOW - timedelta(days=400), layers=("o",))
    town.shop.registry.push("nginx:1.29-alpine", "new", created=NOW - timedelta(days=3), layers=("n",))
    town.write(FILE, "FROM nginx:1.27-alpine\n")
    for _ in range(2):
        town.run()
    (issue,) = [one for one in town.alice().get_issues(state="all") if one.pull_request is None]
    assert (issue.state, issue.title) == ("open", "api: nginx:1.27-alpine no longer moves")

    town.write(FILE, "FROM nginx:1.29-alpine\n")
    town.run()

    assert town.alice().get_issue(issue.number).state == "closed"


def test_a_difference_is_named_after_a_scenario() -> None:
    assert set(DIFFERENCES) <= set(globals())
