"""What `refit serve` costs while nothing happens: start, memory and processor time, each against its limit.

python -m tests.bench serve

Everything that can be configured is (`tests/bench/everything.py`), on PostgreSQL and on SQLite: before there
was any work, and after every job of the schedule has run once, a real proof and its pull request among them,
and somebody in Slack had everything rescanned. Then what each worker costs that has done its part of a cycle.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2 as httpx

from bot.triggers.periods import Job
from deploy.lab.ports import free_port
from tests.bench.everything import Everything, everything, on_postgresql
from tests.e2e.world import World
from tests.fakes.slack_server import command, text_of

READY_SECONDS: Final = 3.0
MEMORY_BYTES: Final = 150_000_000
IDLE_SHARE: Final = 0.01  # of one core: "near 0"
_SETTLED_SECONDS: Final = 5.0
_WATCHED_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 180.0
_LAST_JOB: Final = "removed"  # the clean-up is the last of those that were missed
_NEVER: Final = dict.fromkeys(Job, "0 0 29 2 *")


@dataclass(frozen=True, slots=True)
class Running:
    """A bot that is ready.

    Attributes:
        process: Its process.
        port: Where it answers.
        log: What it says.
        ready: Seconds from its start until it was.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ready: float

    @property
    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def worked(self) -> float:
        """Seconds of processor time."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def idle(self) -> float:
        """The share of one core that it uses."""
        time.sleep(_SETTLED_SECONDS)
        before = self.worked
        time.sleep(_WATCHED_SECONDS)
        return (self.worked - before) / _WATCHED_SECONDS


def main() -> None:
    """Measure and print one line for each."""
    with everything() as configured:
        with on_postgresql(configured.world):
            _measure(configured, "on PostgreSQL")
        with on_postgresql(configured.world):
            _measure_workers(configured.world)
        _measure(configured, "on SQLite")


def _measure(configured: Everything, where: str) -> None:
    """One machine that does everything."""
    world = configured.world
    world.settings["schedule"] = _NEVER
    with started(world, "serve"):  # the first start makes tables and compiled files
        pass
    with started(world, "serve") as bot:
        _print(f"serve: everything configured, {where}", bot)
    del world.settings["schedule"]
    with started(world, "serve") as bot:
        _wait_for(bot, _LAST_JOB)
        _rescan(configured, bot)
        _print(f"serve: everything configured, {where}, after every job and a rescan", bot)


def _measure_workers(world: World) -> None:
    """Machines that do their part of what another one drives."""
    world.settings["workers"] = {"serve": []}
    state = world.settings.get("state", str(world.state))
    with ExitStack() as stack:
        workers = {}
        for role in ("prove", "publish"):
            world.settings["state"] = str(world.folder / role)
            workers[role] = stack.enter_context(started(world, "worker", "--role", role))
        world.settings["state"] = state
        _wait_for(stack.enter_context(started(world, "serve")), _LAST_JOB)
        for role, bot in workers.items():
            _print(f"worker: {role}, after its part of a cycle", bot)
    del world.settings["workers"], world.settings["state"]


@contextmanager
def started(world: World, *words: str) -> Iterator[Running]:
    """A process that runs until it is ended."""
    port, log = free_port(), world.folder / f"{words[-1]}.log"
    world.settings["web"] = {"port": port}
    called, begun = world.command(*words), time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(called, cwd=world.folder, env=world.environment(), stdout=out, stderr=out)
    try:
        while not _ready(port):
            _patience(begun, log)
            time.sleep(0.02)
        yield Running(process, port, log, time.monotonic() - begun)
    finally:
        process.kill()
        process.wait(30)


def _rescan(configured: Everything, bot: Running) -> None:
    """Ask for a rescan of everything, as a person in Slack, until it is answered."""
    body, headers = command("rescan all")
    httpx.post(f"http://127.0.0.1:{bot.port}/slack/events", content=body, headers=headers, timeout=30)
    begun = time.monotonic()
    while not any(text_of(one).startswith("Done in") for one in configured.slack.messages):
        _patience(begun, bot.log)
        time.sleep(0.2)
    configured.slack.messages.clear()


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _wait_for(bot: Running, words: str) -> None:
    begun = time.monotonic()
    while words not in bot.log.read_text(encoding="utf-8"):
        _patience(begun, bot.log)
        time.sleep(0.2)


def _patience(begun: float, log: Path) -> None:
    if time.monotonic() - begun > _PATIENCE_SECONDS:
        raise SystemExit(log.read_text(encoding="utf-8"))


def _print(what: str, bot: Running) -> None:
    idle = bot.idle()
    figures = {
        "bench": what,
        "ready_s": round(bot.ready, 2),
        "ready_to_limit_of_3_s": round(bot.ready / READY_SECONDS, 2),
        "memory_mb": round(bot.memory / 1e6, 1),
        "memory_to_limit_of_150_mb": round(bot.memory / MEMORY_BYTES, 2),
        "idle_cpu": round(idle, 4),
        "idle_cpu_to_limit_of_0.01": round(idle / IDLE_SHARE, 2),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
