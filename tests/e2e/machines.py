"""Several machines for one end-to-end test: processes with state folders of their own, and one store."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from bot.triggers.periods import Job
from deploy.lab.ports import free_port
from tests.e2e.world import Base, World
from tests.github_server.server import GitHubServer

TOKEN = "ghp_refit_many"
PASSWORD = "REFIT_TEST_STORE_PASSWORD"
DOCKERFILE = "FROM {base}\nRUN echo {name}\nHEALTHCHECK CMD true\nCMD sleep 600\n"
# For tests in which a machine dies; in others a slow one might seem dead.
SOON_STALLED = {"heartbeat": "1 s", "stalled_after": "4 s"}
NEVER = dict.fromkeys(Job, "0 0 29 2 *")
# Half a day from now: what is due then was missed when a bot starts, and is not due again while a test runs.
_HOUR = (datetime.now(UTC).hour + 12) % 24
MISSED = dict.fromkeys(Job, f"0 {_HOUR} * * *") | {
    Job.MONTHLY: f"0 {_HOUR} 1 * *",
    Job.QUARTERLY: f"0 {_HOUR} 2 1,4,7,10 *",
}
ONLY_MONTHLY = NEVER | {Job.MONTHLY: MISSED[Job.MONTHLY]}


@dataclass
class Machine:
    """One machine: a process, and what it logged."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, words: str, seconds: float = 400) -> None:
        """Wait until its log holds these words."""
        until(
            lambda: words in self.text(),
            what=lambda: f"{self.name}: no {words!r} in\n{self.text()}",
            seconds=seconds,
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


@dataclass
class Fleet:
    """Machines that share a store.

    Attributes:
        world: The projects and the lab.
        github: Where the projects live.
        store: URL of the database, password included.
        machines: Those that were started.
    """

    world: World
    github: GitHubServer
    store: str
    machines: list[Machine] = field(default_factory=list)

    def projects(self, *names: str, updates: int) -> list[Base]:
        """Projects on GitHub, each with so many Dockerfiles whose base has moved."""
        self.github.create_token(login="refit", value=TOKEN)
        bases = []
        for name in names:
            files = {}
            for number in range(updates):
                base = self.world.base()
                files[f"{number}/Dockerfile"] = DOCKERFILE.format(base=base.pinned, name=f"{name}-{number}")
                bases.append(base)
            self.github.create_repository(name, files, roles={"refit": "write"})
            self.world.projects.append({"name": name})
        for base in bases:
            base.move()
        return bases

    def start(
        self, name: str, *words: str, env: Mapping[str, str] = MappingProxyType({}), **settings: Any
    ) -> Machine:
        """Start `refit WORDS` as a machine of its own."""
        folder = self.world.folder / name
        folder.mkdir()
        file = folder / "refit.yaml"
        file.write_text(json.dumps(self._settings(folder, settings)), encoding="utf-8")
        log = folder / "log"
        command = [*self.world.command(*words)[:-1], str(file)]
        secrets = {"REFIT_TEST_TOKEN": TOKEN, PASSWORD: self.store.split(":")[2].split("@")[0]}
        variables = self.world.environment(**{**secrets, **env})
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=folder, env=variables, stdout=out, stderr=out)
        machine = Machine(name, process, log)
        self.machines.append(machine)
        return machine

    def _settings(self, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
        password = self.store.split("//refit:")[1].split("@")[0]
        common: dict[str, Any] = {
            "store": self.store.replace(f":{password}@", "@"),
            "store_password": {"env": PASSWORD},
            "web": {"port": free_port()},
            "state": str(folder / "state"),
            "github": {
                "url": self.github.api,
                "token": {"env": "REFIT_TEST_TOKEN"},
                "seconds_between_writes": 0,
            },
            "pull_requests": {"max_new_per_project": 10},
        }
        written: dict[str, Any] = json.loads(self.world.config().read_text(encoding="utf-8"))
        github = common["github"] | settings.pop("github", {})
        return written | common | settings | {"github": github}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        with psycopg.connect(self.store) as connection:
            return connection.execute(sql.encode()).fetchall()

    def end(self) -> None:
        """End every machine."""
        for machine in self.machines:
            with contextlib.suppress(ProcessLookupError):
                os.kill(machine.process.pid, signal.SIGKILL)
            machine.process.wait(30)


@contextlib.contextmanager
def fleet(world: World, github: GitHubServer, store: str) -> Iterator[Fleet]:
    """Machines for one test; all are ended."""
    made = Fleet(world, github, store)
    try:
        yield made
    finally:
        made.end()


def until(condition: Callable[[], bool], *, what: Callable[[], str], seconds: float = 400) -> None:
    """Wait for a condition; `what` tells what was seen instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
