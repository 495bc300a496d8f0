"""Very many projects on the GitHub server, a real forge that reads them, and everything else in memory."""

from __future__ import annotations

import ctypes
import gc
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.cycle.monthly import run_cycle
from bot.cycle.parts import Parts
from bot.forge.api import Connection
from bot.forge.auth import TokenAccess
from bot.forge.github import GitHubForge
from bot.forge.listing import Wanted
from bot.model.run import RunResult
from bot.model.target import Project
from tests.github_server import GitHubServer
from tests.github_server.git import BareRepository
from tests.github_server.state import Repository, timestamp
from tests.unit.cycle.house import NOW, House, house

SHARED = "debian:bookworm-slim"
OWN = "nginx:1.29-alpine"


@dataclass
class Fleet:
    """Projects `acme/p0` … with two Dockerfiles each: all on one base, the first `moving` on another as well.

    Attributes:
        server: Where they live.
        shop: Everything that is not the forge.
        folder: State of the forge.
        size: How many projects.
        moving: How many of them stand on the base that `move` moves.
    """

    server: GitHubServer
    shop: House
    folder: Path
    size: int
    moving: int

    def cycle(self) -> tuple[RunResult, int]:
        """Run a whole cycle as a new process would; gives the result and how many requests GitHub got."""
        self.forget()
        connection = Connection(self.server.api, seconds_between_writes=0)
        forge = GitHubForge(
            self.folder, connection, TokenAccess(connection, "ghp_refit"), sleep=lambda _: None
        )
        try:
            result = run_cycle(self._parts(forge)).result
        finally:
            forge.disconnect()
        return result, len(self.server.exchanges)

    def forget(self) -> None:
        """Throw away what only the tests' own parts remember: what they were asked."""
        self.server.exchanges.clear()
        self.shop.registry.asked.clear()
        self.shop.progress.lines.clear()

    def memory(self) -> float:
        """Resident memory of this process now, in MB (10⁶ bytes), with what is free given back."""
        self.forget()
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / 1e6

    def move(self) -> None:
        """Push a new image under the tag that some of the projects use."""
        self.shop.registry.push(OWN, "new", created=NOW - timedelta(days=10), layers=("new",))

    def _parts(self, forge: GitHubForge) -> Parts:
        names = forge.projects("acme/*", Wanted())
        projects = tuple(Project(name) for name in names)
        forges = dict.fromkeys(names, forge)
        return replace(self.shop.parts(), projects=projects, forges=forges, builder=None)


@contextmanager
def fleet(folder: Path, size: int, moving: int) -> Iterator[Fleet]:
    """Host `size` projects, of which the first `moving` stand on the base that will move."""
    shop = house(folder, {})
    shared = shop.registry.push(SHARED, "one", created=NOW - timedelta(days=30), layers=("one",))
    own = shop.registry.push(OWN, "old", created=NOW - timedelta(days=40), layers=("old",))
    with GitHubServer(folder / "github") as server:
        server.create_token()
        files = {"api/Dockerfile": f"FROM {SHARED}@{shared}\n", "README.md": "Hello.\n"}
        for number in range(size):
            other = f"FROM {OWN}@{own}\n" if number < moving else f"FROM {SHARED}@{shared}\n"
            _host(server, f"acme/p{number}", {**files, "web/Dockerfile": other}, first=number in (0, moving))
        yield Fleet(server, shop, folder / "state-of-forge", size, moving)


_MODELS: dict[int, Path] = {}


def _host(server: GitHubServer, name: str, files: dict[str, str], *, first: bool) -> None:
    """Host a project; only the first of a kind is made by git, the others are copies of it."""
    if first:
        repo = server.create_repository(name, files, roles={"refit": "write"})
        _MODELS[id(server)] = repo.git.path
    else:
        target = server.folder / f"{name}.git"
        shutil.copytree(_MODELS[id(server)], target)
        owner = server.world.account("acme", "Organization")
        repo = Repository(
            server.world.next_id(), owner, name.partition("/")[2], BareRepository(target), "main"
        )
        repo.roles = {"refit": "write"}
        server.world.repositories[name] = repo
    repo.branches = repo.git.refs("refs/heads/")
    repo.pushed_at = timestamp(datetime.now(UTC) - timedelta(hours=1))
