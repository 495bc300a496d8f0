"""Each machine with the least it needs: who builds may not write, who writes has no engine."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from github import Auth, Github

from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.github import GitHubForge
from bot.model import marker
from bot.model.run import PullRequest
from bot.model.target import Project
from bot.store.sql import open_store
from tests.e2e.machines import DOCKERFILE, ONLY_MONTHLY, Fleet, fleet
from tests.e2e.world import Base, World
from tests.github_server.server import GitHubServer
from tests.postgresql import Cluster

pytestmark = pytest.mark.lab

PROJECT = Project("acme/shop")
READS, PROVES, PUBLISHES = "github_pat_reads", "github_pat_proves", "github_pat_publishes"
ALL = ("contents", "issues", "metadata", "pull_requests", "statuses")


@pytest.mark.parametrize(
    "prover",
    [
        pytest.param(PROVES, id="a token that may read"),
        pytest.param("", id="no token", marks=pytest.mark.long),
    ],
)
def test_only_the_machine_that_publishes_writes_and_it_needs_no_engine(
    world: World, github: GitHubServer, postgresql: Cluster, prover: str
) -> None:
    with fleet(world, github, postgresql.database()) as machines, tripwire(world.folder) as (engine, called):
        project(machines, private=bool(prover))
        old = superfluous(machines)
        before = len(github.exchanges)
        nothing = {"enabled": True, "docker_host": f"unix://{engine}"}
        machines.start(
            "publisher",
            *("worker", "--role", "publish"),
            env={"REFIT_TEST_TOKEN": PUBLISHES, "PATH": str(no_docker(world.folder))},
            builder=nothing,
        )
        blind = {"docker_host": f"unix://{world.folder}/nowhere.sock"}
        idle = machines.start("blind", "worker", "--role", "prove", builder=blind)
        idle.wait_for("this machine takes no prove jobs")
        machines.start("prover", "worker", "--role", "prove", env={"REFIT_TEST_TOKEN": prover})
        driver = machines.start(
            "driver",
            "serve",
            env={"REFIT_TEST_TOKEN": READS},
            github={"author": "refit"},
            builder=nothing,
            workers={"serve": []},
            schedule=ONLY_MONTHLY,
            issues={"dashboard": True},
        )
        driver.wait_for(": done: 2 updates, 0 other uses, 0 failed")

        ((result,),) = machines.query("select result from cycles where name like 'monthly-%'")
        updates = json.loads(result)["updates"]
        assert sorted((one["level"], one["publication"]["kind"]) for one in updates) == [
            ("health", "evidence"),
            ("health", "pull-request"),
        ]
        written = [one for one in github.exchanges[before:] if one.is_write]
        assert {one.credential for one in written} == {PUBLISHES}
        assert {one.credential for one in github.exchanges[before:]} >= {PUBLISHES, READS, prover}
        assert not called()
        everything_was_said(github, old)


def project(machines: Fleet, *, private: bool) -> None:
    """A project with two bases that moved, one of which Renovate has proposed already."""
    github, bases = machines.github, [machines.world.base() for _ in range(2)]
    files = {f"{n}/Dockerfile": DOCKERFILE.format(base=base.pinned, name=n) for n, base in enumerate(bases)}
    roles = {"refit": "write", "renovate": "write", "reader": "read", "builder": "read"}
    github.create_repository("acme/shop", files, private=private, roles=roles)
    github.create_token("refit", PUBLISHES, permissions=dict.fromkeys(ALL, "write"))
    github.create_token("reader", READS, permissions=dict.fromkeys(ALL, "read"))
    github.create_token("builder", PROVES, permissions={"contents": "read", "metadata": "read"})
    github.create_token("renovate", "ghp_renovate")
    moved = files["1/Dockerfile"].replace(bases[1].stale, bases[1].fresh)
    github.commit("acme/shop", {"1/Dockerfile": moved}, branch="renovate/base", author="renovate")
    robot = Github(auth=Auth.Token("ghp_renovate"), base_url=github.api, seconds_between_writes=0)
    robot.get_repo("acme/shop").create_pull("main", "renovate/base", title="Update the base")
    robot.close()
    machines.world.projects.append({"name": "acme/shop"})
    _move(bases)


def _move(bases: list[Base]) -> None:
    for base in bases:
        base.move()


def superfluous(machines: Fleet) -> int:
    """A pull request of ours for an image that nothing names any more; gives its number."""
    connection = Connection(machines.github.api, seconds_between_writes=0)
    forge = GitHubForge(machines.world.folder / "once", connection, TokenAccess(connection, PUBLISHES))
    checkout = forge.checkout(PROJECT)
    slot, digest = marker.slot("acme/shop", "debian:12", ["old/Dockerfile"]), f"debian:12@sha256:{'1' * 64}"
    wanted = PullRequest(
        slot=slot,
        digest=digest,
        branch=marker.branch(slot),
        base="main",
        base_commit=checkout.commit,
        title="Bump debian",
        body=marker.marker(slot, digest),
        message="Bump debian",
        files={"old/Dockerfile": f"FROM {digest}\n".encode()},
    )
    store = open_store(machines.store)
    store.save_publication(forge.publish(PROJECT, wanted, None))
    store.close()
    forge.disconnect()
    return max(machines.github.repository("acme/shop").issues)


def everything_was_said(github: GitHubServer, old: int) -> None:
    """The evidence on Renovate's pull request, our own, the dashboard, and why the old one was closed."""
    shop = github.repository("acme/shop")
    said = {
        number: [one.body for one in shop.comments.values() if one.issue == number] for number in shop.issues
    }
    opened = {one.title: number for number, one in shop.issues.items() if one.user.login == "refit"}
    assert "**PASS**" in said[1][0]
    assert {one.state for one in shop.statuses} == {"success"}
    assert shop.issues[old].state == "closed"
    assert "debian" in said[old][0]
    assert len(opened) == 3, "the old one, the new one, the dashboard"


def no_docker(folder: Path) -> Path:
    """A PATH with git, and no docker."""
    path = folder / "path"
    path.mkdir()
    for name in ("git", "sh"):
        (path / name).symlink_to(str(shutil.which(name)))
    return path


@contextmanager
def tripwire(folder: Path) -> Iterator[tuple[Path, Callable[[], bool]]]:
    """An engine's socket that nobody answers; tells whether somebody called."""
    path = folder / "engine.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003 - socket's own signature

        def called() -> bool:
            try:
                listener.accept()
            except BlockingIOError:
                return False
            return True

        yield path, called
