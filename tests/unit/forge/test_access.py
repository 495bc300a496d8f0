"""Who Refit is on GitHub decides what it can do: reading asks for nothing that writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.errors import ForgeRefused
from bot.forge.api import Connection
from bot.forge.auth import Access, AppAccess, TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.installation import PERMISSIONS, READING
from bot.forge.listing import Wanted
from bot.forge.nobody import NobodyAccess
from bot.model.run import Issue
from bot.model.target import Project
from tests.github_server import GitHubServer, contract
from tests.unit.forge.keys import PRIVATE, PUBLIC

OPEN, CLOSED = Project("acme/shop"), Project("acme/vault")
FILES = {"Dockerfile": "FROM debian:12\n"}
BYTES = b"FROM debian:12\n"
ISSUE = Issue("slot", "digest", "Title", "Body")


@dataclass
class World:
    """A public and a private project."""

    server: GitHubServer
    folder: Path
    connection: Connection
    forges: list[GitHubForge] = field(default_factory=list)

    def forge(self, access: Access) -> GitHubForge:
        self.forges.append(GitHubForge(self.folder, self.connection, access))
        return self.forges[-1]

    def clone(self, forge: GitHubForge, project: Project) -> bytes:
        """The bytes of a file of a clone, as a prover makes it: it is told the commit."""
        commit = self.server.repository(project.name).git.line("rev-parse", "main")
        destination = self.folder / "context"
        forge.checkout(project, commit).export(destination)
        return (destination / "Dockerfile").read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with GitHubServer(tmp_path / "github", contract.fetched()) as server:
        server.create_repository("acme/shop", FILES)
        server.create_repository("acme/vault", FILES, private=True, roles={"refit": "write"})
        made = World(server, tmp_path / "state", Connection(server.api, seconds_between_writes=0, pause=0.01))
        yield made
        for forge in made.forges:
            forge.disconnect()
    server.assert_contract()


def test_an_app_that_only_fetches_asks_for_no_token_that_writes(world: World) -> None:
    app = world.server.create_app("refit", PUBLIC, dict(PERMISSIONS))
    world.server.install(app, "acme")

    assert world.clone(world.forge(AppAccess(world.connection, app.id, PRIVATE)), CLOSED) == BYTES

    minted = [token for token in world.server.world.tokens.values() if token.installation]
    assert [token.permissions for token in minted] == [READING] * len(minted)
    assert [token.repositories for token in minted] == [None, {"vault"}]


def test_an_app_that_was_granted_reading_alone_finds_what_another_one_wrote(world: World) -> None:
    writer = world.server.create_app("refit", PUBLIC, dict(PERMISSIONS))
    reader = world.server.create_app("refit-reads", PUBLIC, dict.fromkeys(PERMISSIONS, "read"))
    for app in (writer, reader):
        world.server.install(app, "acme")
    written = world.forge(AppAccess(world.connection, writer.id, PRIVATE)).publish_issue(CLOSED, ISSUE, None)
    forge = world.forge(AppAccess(world.connection, reader.id, PRIVATE, "refit[bot]"))

    assert forge.find_issue(CLOSED, "slot") == written
    with pytest.raises(ForgeRefused, match="not accessible by integration"):
        forge.close(CLOSED, written, "Bye.")


def test_nobody_reads_what_is_public(world: World) -> None:
    forge = world.forge(NobodyAccess(world.connection))

    assert world.clone(forge, OPEN) == BYTES
    assert forge.checkout(OPEN).read("Dockerfile") == BYTES
    assert forge.projects("acme/*", Wanted()) == ("acme/shop",)
    assert {exchange.credential for exchange in world.server.exchanges} == {""}


def test_nobody_is_told_what_only_a_token_can_do(world: World) -> None:
    forge = world.forge(NobodyAccess(world.connection))

    with pytest.raises(ForgeRefused) as caught:
        world.clone(forge, CLOSED)
    assert "without a token only public projects" in caught.value.hint
    with pytest.raises(ForgeRefused, match="acme/shop can only be read"):
        forge.publish_issue(OPEN, ISSUE, None)
    with pytest.raises(ForgeRefused, match="which projects"):
        forge.projects("*/*", Wanted())
    assert world.server.writes() == []


def test_a_token_that_may_only_read_is_refused_by_github_and_says_so(world: World) -> None:
    world.server.create_token("refit", "github_pat_reading", permissions={"contents": "read"})
    forge = world.forge(TokenAccess(world.connection, "github_pat_reading"))

    assert world.clone(forge, CLOSED) == BYTES
    with pytest.raises(ForgeRefused, match="not accessible by personal access token") as caught:
        forge.publish_issue(OPEN, ISSUE, None)
    assert "lacks a permission" in caught.value.hint
