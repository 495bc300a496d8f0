"""GitHub at its worst: writes whose end is unknown, limits, refusals, and two of us at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import ForgeError, ForgeRefused, ForgeUnavailable
from bot.forge.api import Connection
from bot.forge.auth import Access, AppAccess, TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.installation import PERMISSIONS, READING
from bot.model import marker
from bot.model.run import Issue, Publication, PublicationState, PullRequest
from bot.model.target import Project
from tests.github_server import GitHubServer, contract

PROJECT = Project("acme/shop")
SLOT = marker.slot("acme/shop", "debian:12", ["Dockerfile"])
BRANCH = marker.branch(SLOT)
TOKEN = "ghp_very_secret_value"


@dataclass
class World:
    """A server with one project, and a forge that works on it."""

    server: GitHubServer
    folder: Path
    slept: list[float] = field(default_factory=list)
    forges: list[GitHubForge] = field(default_factory=list)

    def connection(self, **changes: float) -> Connection:
        quick: dict[str, float] = {"seconds_between_writes": 0, "pause": 0.01, "max_rate_limit_wait": 5}
        return Connection(self.server.api, **(quick | changes))  # type: ignore[arg-type]  # a table of settings

    def forge(self, access: Access | None = None, **changes: float) -> GitHubForge:
        connection = self.connection(**changes)
        access = access or TokenAccess(connection, TOKEN)
        self.forges.append(GitHubForge(self.folder / "state", connection, access, self.slept.append))
        return self.forges[-1]

    def wanted(self, *, draft: bool = False, digest: str = "sha256:1") -> PullRequest:
        git = self.server.repository("acme/shop").git
        return PullRequest(
            slot=SLOT,
            digest=digest,
            branch=BRANCH,
            base="main",
            base_commit=git.line("rev-parse", "main"),
            title="Bump debian",
            body=marker.marker(SLOT, digest),
            message="Bump debian",
            files={"Dockerfile": f"FROM debian:12@{digest}\n".encode()},
            labels=("docker",),
            draft=draft,
        )

    def pulls(self) -> int:
        return len(list(self.server.repository("acme/shop").pulls()))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        server.create_repository("acme/shop", {"Dockerfile": "FROM debian:12\n"}, roles={"refit": "write"})
        server.create_token(value=TOKEN)
        world = World(server, tmp_path)
        yield world
        for forge in world.forges:
            forge.disconnect()
    server.assert_contract()


WRITES = {
    "tree": "/git/trees",
    "commit": "/git/commits",
    "branch": "/git/refs",
    "pull request": "/pulls$",
    "labels": "/labels",
}


@pytest.mark.parametrize("after_effect", [True, False], ids=["after its effect", "before its effect"])
@pytest.mark.parametrize("path", WRITES.values(), ids=WRITES)
def test_a_502_at_any_write_still_gives_one_complete_pull_request(
    world: World, path: str, *, after_effect: bool
) -> None:
    world.server.fail_next("POST", path, 502, after_effect=after_effect)
    published = world.forge().publish(PROJECT, world.wanted(), None)
    repository = world.server.repository("acme/shop")
    assert [issue.labels for issue, _ in repository.pulls()] == [["docker"]]
    assert world.server.read("acme/shop", "Dockerfile", BRANCH) == b"FROM debian:12@sha256:1\n"
    assert published.commit == repository.git.line("rev-parse", BRANCH)
    assert len(repository.git.log(f"main..{BRANCH}")) == 1


def test_an_author_is_the_same_in_any_case(world: World) -> None:
    """GitHub takes `Refit` and `refit` for one: a configuration that says either finds what is ours."""
    named = TokenAccess(world.connection(), TOKEN, author="Refit")
    published = world.forge(named).publish(PROJECT, world.wanted(), None)
    assert world.forge(named).find(PROJECT, SLOT, BRANCH) == published
    second = world.forge(named).publish(PROJECT, world.wanted(digest="sha256:2"), published)
    assert (second.url, world.pulls()) == (published.url, 1)


def test_a_502_on_an_update_still_gives_the_new_text_and_the_new_bytes(world: World) -> None:
    first = world.forge().publish(PROJECT, world.wanted(), None)
    world.server.fail_next("PATCH", "/git/refs", 502, after_effect=True)
    world.server.fail_next("PATCH", "/pulls/", 502, after_effect=True)
    second = world.forge().publish(PROJECT, world.wanted(digest="sha256:2"), first)
    assert (second.url, second.digest) == (first.url, "sha256:2")
    assert world.server.read("acme/shop", "Dockerfile", BRANCH) == b"FROM debian:12@sha256:2\n"


def test_a_502_after_an_issue_was_opened_gives_one_issue(world: World) -> None:
    world.server.fail_next("POST", "/issues$", 502, after_effect=True)
    wanted = Issue("sizes", "2026Q3", "Sizes", "text", ("report",))
    published = world.forge().publish_issue(PROJECT, wanted, None)
    assert len(world.server.repository("acme/shop").issues) == 1
    assert world.forge().find_issue(PROJECT, "sizes") == published


def test_a_502_after_a_closing_comment_gives_one_comment(world: World) -> None:
    published = world.forge().publish(PROJECT, world.wanted(), None)
    world.server.fail_next("POST", "/comments", 502, after_effect=True)
    closed = world.forge().close(PROJECT, published, "Superseded by #2.")
    repository = world.server.repository("acme/shop")
    assert closed.state is PublicationState.CLOSED
    assert [comment.body for comment in repository.comments.values()] == ["Superseded by #2."]
    assert repository.git.ref(f"refs/heads/{BRANCH}") is None


def test_a_server_that_stays_broken_is_an_error_after_a_few_attempts(world: World) -> None:
    world.server.fail_next("POST", "/git/trees", 502, times=99)
    with pytest.raises(ForgeUnavailable, match="502"):
        world.forge().publish(PROJECT, world.wanted(), None)
    assert len([one for one in world.server.exchanges if one.path.endswith("/git/trees")]) == 3


def test_two_at_once_open_one_pull_request(world: World) -> None:
    wanted = world.wanted()

    def publish(_: int) -> Publication:
        return world.forge(attempts=5).publish(PROJECT, wanted, None)

    with ThreadPoolExecutor(4) as pool:
        published = set(pool.map(publish, range(4)))
    assert world.pulls() == 1
    assert len({one.url for one in published}) == 1


def test_a_rate_limit_is_waited_for_and_nothing_is_doubled(world: World) -> None:
    world.server.secondary_limit("POST", "/git/trees", retry_after=1)
    world.server.primary_limit("POST", "/pulls$", reset_in=1)
    world.forge().publish(PROJECT, world.wanted(), None)
    assert world.pulls() == 1


def test_a_rate_limit_beyond_the_bound_is_an_error_at_once(world: World) -> None:
    world.server.secondary_limit("POST", "/pulls$", retry_after=3600, times=9)
    with pytest.raises(ForgeUnavailable) as caught:
        world.forge().publish(PROJECT, world.wanted(), None)
    assert "max_rate_limit_wait" in caught.value.hint
    assert len([one for one in world.server.writes() if one.path.endswith("/pulls")]) == 1


def test_where_drafts_are_refused_a_blocked_one_says_so_in_title_and_label(world: World) -> None:
    world.server.repository("acme/shop").drafts_refused = True
    forge = world.forge()
    published = forge.publish(PROJECT, world.wanted(draft=True), None)
    issue, pull = next(iter(world.server.repository("acme/shop").pulls()))
    assert (issue.title, pull.draft) == ("[blocked] Bump debian", False)
    assert "refit: blocked" in issue.labels
    writes = len(world.server.writes())
    assert forge.publish(PROJECT, world.wanted(draft=True), published) == published
    assert len(world.server.writes()) == writes
    forge.publish(PROJECT, world.wanted(), published)
    assert (issue.title, issue.labels) == ("Bump debian", ["docker"])


def test_a_blocked_one_is_a_draft(world: World) -> None:
    world.forge().publish(PROJECT, world.wanted(draft=True), None)
    issue, pull = next(iter(world.server.repository("acme/shop").pulls()))
    assert (issue.title, pull.draft) == ("Bump debian", True)


def test_a_marker_written_by_somebody_else_does_not_count(world: World) -> None:
    world.server.commit("acme/shop", {"x": "y"}, branch=BRANCH)
    other = world.connection()
    world.server.repository("acme/shop").roles["mallory"] = "write"
    access = TokenAccess(other, world.server.create_token("mallory", "ghp_mallory"))
    repo = access.client("acme/shop").get_repo("acme/shop")
    repo.create_pull("main", BRANCH, title="x", body=marker.marker(SLOT, "sha256:1"))
    access.disconnect()
    assert world.forge().find(PROJECT, SLOT, BRANCH) is None


def test_what_a_deleted_account_wrote_is_somebody_elses(world: World) -> None:
    published = world.forge().publish(PROJECT, world.wanted(), None)
    world.server.commit("acme/shop", {"x": "y"}, branch="theirs")
    world.server.repository("acme/shop").roles["gone"] = "write"
    access = TokenAccess(world.connection(), world.server.create_token("gone", "ghp_gone"))
    repo = access.client("acme/shop").get_repo("acme/shop")
    repo.create_pull("main", "theirs", title="x", body="")
    repo.get_issue(1).create_comment("Nice.")
    access.disconnect()
    world.server.world.account("gone").deleted = True

    assert {one.author for one in world.forge().open_pulls(PROJECT)} == {"refit", ""}
    world.forge().say(PROJECT, published.url, "hello", "Hello.")
    assert world.forge().close(PROJECT, published, "Done.").state is PublicationState.CLOSED


def test_an_executable_stays_executable(world: World) -> None:
    git = world.server.repository("acme/shop").git
    blob = git.write_blob(b"FROM debian:12\n")
    tree = git.write_tree([("100755", blob, "Dockerfile")], base=git.line("rev-parse", "main^{tree}"))
    main = git.line("rev-parse", "main")
    who = git.commit(main).author
    git.set_ref("refs/heads/main", git.write_commit(tree, [main], "x", who, who))
    world.forge().publish(PROJECT, world.wanted(), None)
    entry = git.entry(BRANCH, "Dockerfile")
    assert entry is not None
    assert entry.mode == "100755"


def test_a_renamed_project_is_followed(world: World) -> None:
    world.server.rename_repository("acme/shop", "acme/store")
    forge = world.forge()
    checkout = forge.checkout(PROJECT)
    assert checkout.read("Dockerfile") == b"FROM debian:12\n"


REFUSALS = {
    "unknown token": (401, None, "token"),
    "no permission": (403, "Resource not accessible by personal access token", "permission"),
    "archived": (403, "Repository was archived so is read-only.", "archived"),
    "no project": (404, None, "name"),
    "validation": (422, "Validation Failed", ""),
}


@pytest.mark.parametrize(("status", "said", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_to_do_and_never_the_token(
    world: World, status: int, said: str | None, hint: str
) -> None:
    body = {"message": said, "documentation_url": "", "status": str(status)} if said else None
    world.server.fail_next("POST", "/git/trees", status, body=body, times=9)
    with pytest.raises(ForgeRefused) as caught:
        world.forge().publish(PROJECT, world.wanted(), None)
    assert hint in caught.value.hint
    assert "acme/shop" in str(caught.value)
    assert_no_secret(caught.value)


def assert_no_secret(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert TOKEN not in f"{seen!r} {seen} {seen.__dict__}"
        seen = seen.__cause__ or seen.__context__


def test_a_wrong_token_is_refused_when_files_are_fetched(world: World) -> None:
    world.server.repository("acme/shop").private = True
    checkout = world.forge().checkout(PROJECT)
    world.server.fail_next("GET", "info/refs", 401, times=9)
    with pytest.raises(ForgeError) as caught:
        checkout.export(world.folder / "context")
    assert_no_secret(caught.value)


def test_the_token_stands_in_no_argument_and_no_file(world: World) -> None:
    world.server.repository("acme/shop").private = True
    world.forge().checkout(PROJECT).export(world.folder / "context")
    files = [path for path in (world.folder / "state").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_no_answer_at_all_is_an_error_with_a_hint(tmp_path: Path) -> None:
    nowhere = Connection("http://127.0.0.1:9/api/v3", timeout=2, attempts=1, pause=0.01)
    forge = GitHubForge(tmp_path, nowhere, TokenAccess(nowhere, TOKEN))
    with pytest.raises(ForgeUnavailable) as caught:
        forge.checkout(PROJECT)
    assert "network" in caught.value.hint
    assert_no_secret(caught.value)


def test_an_app_writes_signed_commits_with_a_token_for_one_project(world: World) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    app = world.server.create_app("refit", public.decode(), dict(PERMISSIONS))
    world.server.install(app, "acme")
    forge = world.forge(AppAccess(world.connection(), app.id, pem.decode()))
    forge.checkout(PROJECT)
    published = forge.publish(PROJECT, world.wanted(), None)
    assert forge.publish(PROJECT, world.wanted(), published) == published
    assert published.commit in world.server.repository("acme/shop").verified
    minted = [token for token in world.server.world.tokens.values() if token.installation]
    reading, writing = minted
    assert (reading.repositories, reading.permissions) == (None, READING)
    assert (writing.repositories, writing.permissions) == ({"shop"}, PERMISSIONS)
