"""`refit run` beside another one joins the same cycle, waits for other work, and takes over from the dead."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.lab import Lab, archive
from tests.e2e.images import gateway
from tests.e2e.machines import ONLY_MONTHLY, fleet
from tests.e2e.world import World
from tests.github_server.server import GitHubServer
from tests.postgresql import Cluster

pytestmark = pytest.mark.lab

PROJECT = "FROM {base}\nRUN {step}\nHEALTHCHECK CMD true\nCMD sleep 600\n"
PROVES = "… prove "


@dataclass
class Started:
    """A `refit` process, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text(encoding="utf-8")

    def says(self, words: str) -> None:
        """Wait until it has said that on standard error."""
        deadline = time.monotonic() + 400
        while words not in self.err:
            assert time.monotonic() < deadline, f"no {words!r} in\n{self.err}"
            time.sleep(0.05)

    def ends(self) -> int:
        """Its exit code."""
        return self.process.wait(400)


Start = Callable[..., Started]


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """Starts a `refit` process in this test's world; what still runs at the end is ended."""
    began: list[Started] = []

    def made(*words: str) -> Started:
        folder = world.folder / f"process-{len(began)}"
        folder.mkdir()
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                world.command(*words), cwd=world.folder, env=world.environment(), stdout=out, stderr=err
            )
        began.append(Started(process, folder))
        return began[-1]

    yield made
    for one in began:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.process.pid, signal.SIGKILL)
        one.process.wait(30)


@dataclass(frozen=True)
class Gate:
    """A port on the builds' bridge, bound from the start; opened, it answers."""

    socket: socket.socket

    @property
    def host(self) -> str:
        """Its address."""
        return str(self.socket.getsockname()[0])

    @property
    def step(self) -> str:
        """What waits in a build until the gate is open."""
        path = "/dev/tcp/{}/{}".format(*self.socket.getsockname())
        return f"bash -c 'until (: < {path}) 2> /dev/null; do sleep 0.2; done'"

    def open(self) -> None:
        """Let all builds go on."""
        self.socket.listen()


@pytest.fixture
def gate(lab: Lab) -> Iterator[Gate]:
    with socket.socket() as bound:
        bound.bind((gateway(lab), 0))
        yield Gate(bound)


def project(world: World, step: str = "true") -> Path:
    base = world.base()
    path = world.project(
        {"Dockerfile": PROJECT.format(base=base.pinned, step=step)}, targets=[{"name": "shop"}]
    )
    base.move()
    return path


def test_a_second_run_joins_the_first_and_ends_as_it_does(world: World, start: Start, gate: Gate) -> None:
    reachable = [*archive.addresses(), gate.host]
    world.settings["builder"] = {"docker_host": world.lab.docker_host, "reachable": reachable}
    path = project(world, gate.step)
    first = start("run", "--format", "json")
    first.says(PROVES)
    driver = f"process {first.process.pid} has driven monthly-"

    joined = start("run", "--cycle", "monthly", "--format", "json")
    joined.says(driver)
    joined.says(PROVES)
    stopped = start("run")
    stopped.says(driver)
    stopped.process.send_signal(signal.SIGINT)
    assert stopped.ends() == 130
    assert re.search(rf"stopped following: .* process {first.process.pid} goes on with monthly-", stopped.err)
    assert "✗" not in stopped.err, "what goes on elsewhere has not failed"
    table, other = start("run"), start("run", "--only", "shop", "--format", "json")
    table.says(driver)
    other.says(f"process {first.process.pid} is at work in this store: waiting for it before monthly-")
    beside = start("run", "--dry-run", "--format", "json")
    beside.says(PROVES)

    assert first.process.poll() is None, "the dry run waited for nobody"
    gate.open()
    assert [one.ends() for one in (first, joined, table, other, beside)] == [0] * 5
    assert joined.out == first.out
    assert json.loads(first.out)["updates"][0]["publication"]["kind"] == "pull-request"
    assert "✓ shop" in table.out
    assert json.loads(other.out)["cycle"].endswith("-only-shop")
    assert len(world.branches(path)) == 1


def test_who_follows_a_driver_that_is_killed_goes_on_with_its_cycle(world: World, start: Start) -> None:
    world.settings["builder"] = {"enabled": False}  # a build that outlives its client would leave an image
    path = project(world)
    first = start("run")
    first.says(PROVES)
    first.process.send_signal(signal.SIGSTOP)
    follower = start("run", "--format", "json")
    follower.says(f"process {first.process.pid} has driven monthly-")

    first.process.send_signal(signal.SIGKILL)

    assert follower.ends() == 0
    document = json.loads(follower.out)
    assert f"process {first.process.pid} is gone: going on with monthly-" in follower.err
    assert (document["attempt"], document["updates"][0]["level"]) == (1, "base")
    assert len(world.branches(path)) == 1


def test_a_run_joins_the_cycle_that_a_bot_drives_on_a_shared_store(
    world: World, github: GitHubServer, postgresql: Cluster
) -> None:
    with fleet(world, github, postgresql.database()) as machines:
        machines.projects("acme/shop", updates=1)
        bot = machines.start("bot", "serve", schedule=ONLY_MONTHLY)
        bot.wait_for("prove ")
        run = machines.start("laptop", "run", "--format", "json")
        run.wait_for(f"process {bot.process.pid} ")

        assert run.process.wait(400) == 0

        ((result,),) = machines.query("select result from cycles where name like 'monthly-%'")
        assert json.loads(run.text()[run.text().index("\n{") :]) == json.loads(result)
