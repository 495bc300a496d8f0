"""What every forge owes: on the fake, a real git checkout, and a GitHub server over real repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from bot.errors import BranchTaken, ForgeError
from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.local import LocalForge
from bot.model import marker
from bot.model.pulls import Check, Conclusion
from bot.model.run import Issue, Publication, PublicationState, PullRequest
from bot.model.target import Project
from bot.ports import Forge
from tests.fakes.forge import FakeForge
from tests.github_server import GitHubServer, contract

NAME = "acme/shop"
DOCKERFILE = b"# syntax=docker/dockerfile:1\r\nFROM debian:bookworm-slim\r\nRUN true"
FILES = {
    ".gitattributes": b"* text eol=lf export-ignore\n*.txt export-subst\n",
    "api/Dockerfile": DOCKERFILE,
    "api/version.txt": b"$Format:%H$\n",
    "data.bin": bytes(range(256)) * 300,
}
NEW = DOCKERFILE.replace(b"bookworm-slim", b"bookworm-slim@sha256:" + b"a" * 64)
NEWER = DOCKERFILE.replace(b"bookworm-slim", b"bookworm-slim@sha256:" + b"b" * 64)
SLOT = marker.slot(NAME, "debian:bookworm-slim", ["api/Dockerfile"])
BRANCH = marker.branch(SLOT, "debian:bookworm-slim", "api")


class People(Protocol):
    """What people do on a forge, and what they see there."""

    def close(self, publication: Publication) -> None: ...

    def merge(self, publication: Publication) -> None: ...

    def push(self, publication: Publication) -> None: ...

    def changes(self, publication: Publication) -> dict[str, bytes]:
        """The files that differ between the base and the branch."""
        ...

    def writes(self) -> int:
        """How often anything was written."""
        ...

    def open_pulls(self) -> int: ...

    def branches(self) -> int:
        """How many branches of ours there are."""
        ...


@dataclass
class Side:
    """One forge under test."""

    forge: Forge
    project: Project
    people: People

    def wanted(self, digest: str = "sha256:1", content: bytes = NEW) -> PullRequest:
        checkout = self.forge.checkout(self.project)
        body = f"Fixes **3** critical.\n\n{marker.marker(SLOT, digest)}\n"
        return PullRequest(
            slot=SLOT,
            digest=digest,
            branch=BRANCH,
            base=checkout.branch,
            base_commit=checkout.commit,
            title=f"Bump debian to {digest}",
            body=body,
            message="Bump debian",
            files={"api/Dockerfile": content},
            labels=("docker",),
        )

    def find(self) -> Publication | None:
        return self.forge.find(self.project, SLOT, BRANCH)


# -- the fake ---------------------------------------------------------------------------------


@dataclass
class FakePeople:
    forge: FakeForge

    def close(self, publication: Publication) -> None:
        self.forge.becomes(publication, PublicationState.CLOSED)

    def merge(self, publication: Publication) -> None:
        self.forge.merge(publication)

    def push(self, publication: Publication) -> None:
        self.forge.push(publication)

    def changes(self, publication: Publication) -> dict[str, bytes]:
        wanted = self.forge.wanted[publication.url]
        assert isinstance(wanted, PullRequest)
        return dict(wanted.files)

    def writes(self) -> int:
        return self.forge.writes

    def open_pulls(self) -> int:
        every = [one for listed in self.forge.published.values() for one in listed]
        return sum(one.state is PublicationState.OPEN for one in every)

    def branches(self) -> int:
        return self.open_pulls()


def fake(_folder: Path, _stack: ExitStack) -> Side:
    forge = FakeForge({NAME: dict(FILES)})
    return Side(forge, Project(NAME), FakePeople(forge))


# -- a git checkout on this machine -----------------------------------------------------------


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@dataclass
class LocalPeople:
    """A person at a shell."""

    checkout: Path
    state: Path

    def git(self, *arguments: str) -> bytes:
        who = {f"GIT_{role}_{key}": f"ann{at}" for role in ("AUTHOR", "COMMITTER") for key, at in _WHO}
        env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "HOME": "/nonexistent", **who}
        command = ["git", "-C", str(self.checkout), *arguments]
        return subprocess.run(command, env=env, check=True, capture_output=True).stdout

    def close(self, publication: Publication) -> None:
        self.git("branch", "-D", publication.branch)

    def merge(self, publication: Publication) -> None:
        self.commit("main", f"{publication.branch}^{{tree}}")

    def push(self, publication: Publication) -> None:
        self.commit(publication.branch, f"{publication.branch}^{{tree}}")

    def commit(self, branch: str, tree: str) -> None:
        sha = self.git("commit-tree", tree, "-p", branch, "-m", "mine").decode().strip()
        self.git("update-ref", f"refs/heads/{branch}", sha)

    def changes(self, publication: Publication) -> dict[str, bytes]:
        names = self.git("diff", "--name-only", f"main...{publication.branch}").decode().split()
        return {name: self.git("cat-file", "blob", f"{publication.branch}:{name}") for name in names}

    def writes(self) -> int:
        """Everything there is, as one number that changes with each change."""
        seen = [self.git("for-each-ref"), self.git("status", "--porcelain"), self.git("rev-parse", "HEAD")]
        pages = sorted(self.state.glob("*/*/*"))
        return hash((*seen, *((page, page.stat().st_mtime_ns) for page in pages)))

    def open_pulls(self) -> int:
        return self.branches()

    def branches(self) -> int:
        return len(self.git("for-each-ref", "refs/heads/refit/").splitlines())


_WHO = (("NAME", ""), ("EMAIL", "@example.org"))


def local(folder: Path, _stack: ExitStack) -> Side:
    checkout, state = folder / "shop", folder / "state"
    checkout.mkdir()
    people = LocalPeople(checkout, state)
    people.git("init", "-q", "-b", "main")
    for path, content in FILES.items():
        (checkout / path).parent.mkdir(exist_ok=True)
        (checkout / path).write_bytes(content)
    _commit_exactly(people)
    return Side(LocalForge(state, StoppedClock()), Project(NAME, str(checkout)), people)


def _commit_exactly(people: LocalPeople) -> None:
    """Commit the bytes as they are, whatever the attributes say."""
    for path in FILES:
        oid = people.git("hash-object", "-w", "--no-filters", str(people.checkout / path)).decode().strip()
        people.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
    people.git("commit", "-qm", "Begin")


# -- GitHub -----------------------------------------------------------------------------------


@dataclass
class GitHubPeople:
    server: GitHubServer

    def close(self, publication: Publication) -> None:
        self.server.repository(NAME).issues[_number(publication)].state = "closed"

    def merge(self, publication: Publication) -> None:
        from_alice = Connection(self.server.api, seconds_between_writes=0)
        access = TokenAccess(from_alice, self.server.create_token("alice", "ghp_alice"))
        access.client(NAME).get_repo(NAME).get_pull(_number(publication)).merge(merge_method="squash")
        access.disconnect()

    def push(self, publication: Publication) -> None:
        self.server.commit(NAME, {"more": b"mine\n"}, branch=publication.branch, author="alice")

    def changes(self, publication: Publication) -> dict[str, bytes]:
        git = self.server.repository(NAME).git
        names = git.line("diff", "--name-only", f"main...{publication.branch}").split()
        return {name: self.server.read(NAME, name, publication.branch) for name in names}

    def writes(self) -> int:
        return len(self.server.writes())

    def open_pulls(self) -> int:
        return sum(issue.state == "open" for issue, _ in self.server.repository(NAME).pulls())

    def branches(self) -> int:
        return len(self.server.repository(NAME).git.refs("refs/heads/refit/"))


def _number(publication: Publication) -> int:
    return int(publication.url.rpartition("/")[2])


def github(folder: Path, stack: ExitStack) -> Side:
    server = stack.enter_context(GitHubServer(folder / "github", contract.fetched()))
    stack.callback(server.assert_contract)
    server.create_repository(NAME, FILES, private=True, roles={"refit": "write", "alice": "write"})
    connection = Connection(server.api, seconds_between_writes=0, pause=0.01)
    access = TokenAccess(connection, server.create_token())
    stack.callback(access.disconnect)
    return Side(GitHubForge(folder / "state", connection, access), Project(NAME), GitHubPeople(server))


SIDES: dict[str, Callable[[Path, ExitStack], Side]] = {"fake": fake, "local": local, "github": github}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    with ExitStack() as stack:
        yield SIDES[request.param](tmp_path, stack)


# -- checkouts --------------------------------------------------------------------------------


def test_a_checkout_has_the_files_as_committed(side: Side) -> None:
    checkout = side.forge.checkout(side.project)
    assert list(checkout.paths()) == sorted(FILES)
    assert {path: checkout.read(path) for path in FILES} == FILES
    assert checkout.branch == "main"


def test_the_build_context_has_the_files_as_committed_whatever_attributes_say(
    side: Side, tmp_path: Path
) -> None:
    side.forge.checkout(side.project).export(tmp_path / "context")
    found = {path: (tmp_path / "context" / path).read_bytes() for path in FILES}
    assert found == FILES
    assert not (tmp_path / "context/.git").exists()


def test_equal_trees_have_equal_ids_and_a_changed_one_another(side: Side) -> None:
    before = side.forge.checkout(side.project)
    side.people.merge(side.forge.publish(side.project, side.wanted(), None))
    after = side.forge.checkout(side.project)
    assert after.tree("data.bin") == before.tree("data.bin")
    assert after.tree("api") != before.tree("api")
    assert after.tree(".") != before.tree(".")


def test_an_earlier_commit_can_still_be_read(side: Side) -> None:
    before = side.forge.checkout(side.project)
    side.people.merge(side.forge.publish(side.project, side.wanted(), None))
    assert side.forge.checkout(side.project).read("api/Dockerfile") == NEW
    assert side.forge.checkout(side.project, before.commit).read("api/Dockerfile") == DOCKERFILE


@pytest.mark.parametrize("path", ["missing", "api", "../etc/passwd", ""])
def test_a_path_that_is_no_file_is_an_error(side: Side, path: str) -> None:
    with pytest.raises(ForgeError):
        side.forge.checkout(side.project).read(path)


def test_a_file_above_the_limit_is_an_error(side: Side) -> None:
    with pytest.raises(ForgeError):
        side.forge.checkout(side.project).read("data.bin", limit=100)


# -- pull requests ----------------------------------------------------------------------------


def test_nothing_is_found_before_anything_is_published(side: Side) -> None:
    assert side.find() is None


def test_a_pull_request_changes_exactly_the_bytes(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    assert side.people.changes(published) == {"api/Dockerfile": NEW}
    assert (published.slot, published.digest) == (SLOT, "sha256:1")
    assert published.state is PublicationState.OPEN
    assert side.find() == published


def test_publishing_the_same_again_writes_nothing(side: Side) -> None:
    wanted = side.wanted()
    published = side.forge.publish(side.project, wanted, None)
    before = side.people.writes()
    assert side.forge.publish(side.project, wanted, published) == published
    assert side.forge.publish(side.project, wanted, None) == published
    assert side.people.writes() == before


def test_a_new_digest_updates_the_open_pull_request_in_place(side: Side) -> None:
    first = side.forge.publish(side.project, side.wanted(), None)
    second = side.forge.publish(side.project, side.wanted("sha256:2", NEWER), first)
    assert (second.url, second.digest) == (first.url, "sha256:2")
    assert side.people.changes(second) == {"api/Dockerfile": NEWER}
    assert side.people.open_pulls() == 1
    assert side.find() == second


def test_a_new_text_for_the_same_digest_leaves_the_commit_alone(side: Side) -> None:
    first = side.forge.publish(side.project, side.wanted(), None)
    wanted = side.wanted()
    second = side.forge.publish(side.project, replace(wanted, body=f"Now 4.\n\n{wanted.body}"), first)
    assert second.body_digest != first.body_digest
    assert side.people.changes(second) == {"api/Dockerfile": NEW}
    assert side.find() == second


def test_one_that_a_person_closed_is_found_as_closed_and_stays_so_for_its_digest(side: Side) -> None:
    side.people.close(side.forge.publish(side.project, side.wanted(), None))
    found = side.find()
    assert found is not None
    assert found.state is PublicationState.CLOSED
    assert side.forge.publish(side.project, side.wanted(), None).state is PublicationState.CLOSED
    assert side.people.open_pulls() == 0


def test_after_a_closed_one_the_next_digest_opens_a_new_one(side: Side) -> None:
    side.people.close(side.forge.publish(side.project, side.wanted(), None))
    again = side.forge.publish(side.project, side.wanted("sha256:2", NEWER), side.find())
    assert again.state is PublicationState.OPEN
    assert side.people.changes(again) == {"api/Dockerfile": NEWER}
    assert side.find() == again


def test_one_that_was_merged_is_found_as_merged(side: Side) -> None:
    side.people.merge(side.forge.publish(side.project, side.wanted(), None))
    found = side.find()
    assert found is not None
    assert found.state is PublicationState.MERGED
    assert side.forge.checkout(side.project).read("api/Dockerfile") == NEW


def test_one_that_a_person_pushed_to_is_left_alone(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    side.people.push(published)
    found = side.find()
    assert found is not None
    assert found.commit != published.commit
    before = side.people.writes()
    with pytest.raises(BranchTaken):
        side.forge.publish(side.project, side.wanted("sha256:2", NEWER), found)
    assert side.people.writes() == before
    assert side.find() == found


def test_a_superseded_one_is_closed_with_a_comment(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    assert side.forge.close(side.project, published, "Superseded.").state is PublicationState.CLOSED
    found = side.find()
    assert found is not None
    assert found.state is PublicationState.CLOSED
    assert side.people.open_pulls() == 0


def test_what_refit_itself_closed_may_be_made_anew_for_the_same_digest(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    side.forge.close(side.project, published, "Superseded.")
    again = side.forge.publish(side.project, side.wanted(), None)
    assert again.state is PublicationState.OPEN
    assert side.people.open_pulls() == 1


def test_the_branch_of_a_merged_one_goes_away(side: Side) -> None:
    side.people.merge(side.forge.publish(side.project, side.wanted(), None))
    merged = side.find()
    assert merged is not None
    assert side.forge.close(side.project, merged, "").state is PublicationState.MERGED
    assert side.people.branches() == 0


# -- issues -----------------------------------------------------------------------------------


def issue(digest: str = "2026Q3") -> Issue:
    body = f"Sizes of {digest}\n\n{marker.marker('sizes', digest)}\n"
    return Issue("sizes", digest, f"Sizes {digest}", body, ("report",))


def test_an_issue_is_opened_once_kept_up_to_date_and_closed(side: Side) -> None:
    assert side.forge.find_issue(side.project, "sizes") is None
    first = side.forge.publish_issue(side.project, issue(), None)
    before = side.people.writes()
    assert side.forge.publish_issue(side.project, issue(), first) == first
    assert side.people.writes() == before
    second = side.forge.publish_issue(side.project, issue("2026Q4"), first)
    assert (second.url, second.digest) == (first.url, "2026Q4")
    assert side.forge.find_issue(side.project, "sizes") == second
    assert side.forge.close(side.project, second, "Solved.").state is PublicationState.CLOSED
    found = side.forge.find_issue(side.project, "sizes")
    assert found is not None
    assert found.state is PublicationState.CLOSED


def test_an_unknown_project_is_an_error_with_a_hint(side: Side) -> None:
    with pytest.raises(ForgeError) as caught:
        side.forge.checkout(Project("acme/nowhere", "/nonexistent" if side.project.location else None))
    assert "nowhere" in str(caught.value) or "/nonexistent" in str(caught.value)


# -- what is said -----------------------------------------------------------------------------


def check(published: Publication, title: str = "pass") -> Check:
    return Check(
        "refit", published.commit, published.url, Conclusion.SUCCESS, title, "**All** is well.", "More."
    )


def test_a_check_is_written_once_and_kept_up_to_date(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    side.forge.attest(side.project, check(published))
    before = side.people.writes()
    side.forge.attest(side.project, check(published))
    assert side.people.writes() == before
    assert side.find() == published


def test_a_comment_is_said_once_and_kept_up_to_date(side: Side) -> None:
    published = side.forge.publish(side.project, side.wanted(), None)
    side.forge.say(side.project, published.url, "closed", "Refit is silent.")
    before = side.people.writes()
    side.forge.say(side.project, published.url, "closed", "Refit is silent.")
    assert side.people.writes() == before
    side.forge.say(side.project, published.url, "closed", "Refit is silent until the next digest.")
    assert side.people.writes() != before


def test_a_branch_moves_to_the_new_base_where_the_proof_was_made_anew(side: Side) -> None:
    first = side.forge.publish(side.project, on(side.wanted(), "before"), None)
    moved = side.forge.publish(side.project, on(side.wanted(), "after"), side.find())
    assert moved.url == first.url
    assert moved.body_digest != first.body_digest
    assert side.people.changes(moved) == {"api/Dockerfile": NEW}
    assert side.people.open_pulls() == 1


def on(wanted: PullRequest, context: str) -> PullRequest:
    """The same, proved on another build context."""
    body = wanted.body.replace(
        marker.marker(SLOT, wanted.digest), marker.marker(SLOT, wanted.digest, context)
    )
    return replace(wanted, body=body, context=context)
