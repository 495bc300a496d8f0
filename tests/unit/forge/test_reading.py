"""Reading very many projects on GitHub: found by globs, and asked for only where somebody pushed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import ForgeRefused
from bot.forge.api import Connection
from bot.forge.auth import Access, AppAccess, TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.installation import PERMISSIONS
from bot.forge.listing import Wanted
from bot.model.target import Project
from tests.github_server import GitHubServer, contract
from tests.github_server.state import timestamp
from tests.unit.forge.keys import PRIVATE, PUBLIC

PROJECT = Project("acme/shop")
FILES = {"api/Dockerfile": "FROM debian:12\n", "README.md": "The shop.\n"}


class World:
    """A server with a project that nobody pushed to for an hour."""

    def __init__(self, server: GitHubServer, folder: Path) -> None:
        self.server, self._folder = server, folder
        self._connection = Connection(server.api, seconds_between_writes=0, pause=0.01)
        self._open: list[GitHubForge] = []
        server.create_repository("acme/shop", FILES, roles={"refit": "write"})
        server.create_token()
        self.rest()

    def rest(self) -> None:
        """An hour goes by for every project."""
        for repo in self.server.world.repositories.values():
            repo.branches = repo.git.refs("refs/heads/")
            repo.pushed_at = timestamp(datetime.now(UTC) - timedelta(hours=1))

    def forge(self, access: Access | None = None) -> GitHubForge:
        """A new process with the same state folder."""
        access = access or TokenAccess(self._connection, "ghp_refit")
        self._open.append(GitHubForge(self._folder, self._connection, access))
        return self._open[-1]

    def app(self) -> AppAccess:
        app = self.server.create_app("refit", PUBLIC, dict(PERMISSIONS))
        self.server.install(app, "acme")
        return AppAccess(self._connection, app.id, PRIVATE)

    def asked(self) -> list[str]:
        """What was asked since the last call."""
        seen = [f"{one.method} {one.path} {one.status}" for one in self.server.exchanges]
        self.server.exchanges.clear()
        return seen

    def close(self) -> None:
        for forge in self._open:
            forge.disconnect()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        world = World(server, tmp_path / "state")
        yield world
        world.close()
    server.assert_contract()


def test_an_unchanged_project_costs_one_request(world: World) -> None:
    first = world.forge().checkout(PROJECT)
    assert first.read("api/Dockerfile") == b"FROM debian:12\n"
    assert len(world.asked()) == 4, "the project, its branch, its paths, one file"

    again = world.forge().checkout(PROJECT)

    assert again.read("api/Dockerfile") == b"FROM debian:12\n"
    assert (again.commit, again.tree("."), list(again.paths())) == (
        first.commit,
        first.tree("."),
        ["README.md", "api/Dockerfile"],
    )
    assert world.asked() == ["GET /repos/acme/shop 304"]


def test_a_push_is_seen_and_only_what_it_changed_is_read(world: World) -> None:
    world.forge().checkout(PROJECT).read("api/Dockerfile")
    world.server.commit("acme/shop", {"web/Dockerfile": "FROM nginx:1.29\n"})
    world.asked()

    checkout = world.forge().checkout(PROJECT)

    assert checkout.read("web/Dockerfile") == b"FROM nginx:1.29\n"
    assert checkout.read("api/Dockerfile") == b"FROM debian:12\n"
    assert len(world.asked()) == 4


def test_a_push_in_the_second_of_our_last_look_is_not_missed(world: World) -> None:
    world.server.commit("acme/shop", {"a": "1\n"})
    world.forge().checkout(PROJECT)
    when = world.server.repository("acme/shop").pushed_at
    world.server.commit("acme/shop", {"a": "2\n"})
    world.server.repository("acme/shop").pushed_at = when

    assert world.forge().checkout(PROJECT).read("a") == b"2\n"


def test_a_renamed_default_branch_is_followed(world: World) -> None:
    assert world.forge().checkout(PROJECT).branch == "main"
    world.server.rename_default_branch("acme/shop", "trunk")

    assert world.forge().checkout(PROJECT).branch == "trunk"


def test_a_transferred_project_is_followed(world: World) -> None:
    world.forge().checkout(PROJECT)
    world.server.rename_repository("acme/shop", "globex/store")

    checkout = world.forge().checkout(PROJECT)

    assert checkout.read("api/Dockerfile") == b"FROM debian:12\n"
    assert world.forge().open_pulls(PROJECT) == ()


def test_an_archived_project_is_said_before_anything_is_proved(world: World) -> None:
    world.server.repository("acme/shop").archived = True

    with pytest.raises(ForgeRefused, match="archived") as caught:
        world.forge().checkout(PROJECT)
    assert "Take it out" in caught.value.hint


def test_a_base_branch_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(ForgeRefused, match="no branch release"):
        world.forge().checkout(Project("acme/shop", base="release"))


def test_an_app_reads_all_projects_of_an_owner_with_one_token(world: World) -> None:
    for number in range(3):
        world.server.create_repository(f"acme/more-{number}", FILES)
    forge = world.forge(world.app())

    for number in range(3):
        forge.checkout(Project(f"acme/more-{number}"))

    assert sum("access_tokens" in line for line in world.asked()) == 1


@pytest.mark.parametrize("as_app", [True, False])
def test_a_glob_stands_for_what_is_there_and_fits(world: World, *, as_app: bool) -> None:
    world.server.create_repository("acme/shop-web", FILES, topics=["docker"])
    world.server.create_repository("acme/shop-old", FILES, archived=True)
    world.server.create_repository("acme/shop-fork", FILES, fork=True)
    world.server.create_repository("globex/other", FILES)
    forge = world.forge(world.app() if as_app else None)

    assert forge.projects("acme/*", Wanted()) == ("acme/shop", "acme/shop-web")
    assert forge.projects("acme/shop-*", Wanted()) == ("acme/shop-web",)
    assert forge.projects("acme/*", Wanted(topics=("docker",))) == ("acme/shop-web",)
    assert forge.projects("acme/*", Wanted(archived=True, forks=True)) == (
        "acme/shop",
        "acme/shop-fork",
        "acme/shop-old",
        "acme/shop-web",
    )
    assert "acme/shop" in forge.projects("*/*", Wanted())


def test_what_is_kept_is_private_and_holds_no_secret(world: World, tmp_path: Path) -> None:
    world.forge().checkout(PROJECT).read("README.md")

    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]

    assert files
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert not [path for path in files if b"ghp_refit" in path.read_bytes()]
