"""`refit serve`, the real process: it catches up once, answers, and stops cleanly."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.e2e.world import World

pytestmark = pytest.mark.lab

PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


@dataclass(frozen=True, slots=True)
class Served:
    """A `refit serve` that runs."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def serving(world: World) -> Iterator[Served]:
    port = free_port()
    world.settings["web"] = {"port": port}
    log = world.folder / "serve.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            world.command("serve"), cwd=world.folder, env=world.environment(), stdout=out, stderr=out
        )
    served = Served(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until(lambda: ready(served), what=lambda: f"not ready: {log.read_text()}")
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ready(served: Served) -> bool:
    try:
        return served.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], bool], *, what: Callable[[], str], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def test_a_missed_cycle_is_caught_up_once_and_not_again_after_a_restart(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": PLAIN.format(base=base.pinned)})
    base.move()

    with serving(world) as served:
        wait_until(lambda: "quarterly" in done(served), what=served.log.read_text)
        assert served.get("/healthz").text == "ok\n"
        assert served.stop() == 0
    assert len(world.branches(path)) == 1
    first = served.log.read_text()
    assert "monthly-2026" in first or "monthly-" in first

    with serving(world) as served:
        time.sleep(1)
        assert served.stop() == 0
    second = served.log.read_text()[len(first) :]
    assert "asked for" not in second


def done(served: Served) -> str:
    """The worker's lines: what was carried out."""
    return "\n".join(line for line in served.log.read_text().splitlines() if "bot.triggers.worker" in line)


def test_a_stop_in_the_middle_of_a_build_ends_within_its_bound_and_the_next_run_goes_on(
    world: World,
) -> None:
    base = world.base()
    slow = f"FROM {base.pinned}\nRUN sleep 45\nCMD sleep 600\n"
    path = world.project({"Dockerfile": slow})
    base.move()

    with serving(world) as served:
        wait_until(lambda: "prove 1/1" in served.log.read_text(), what=served.log.read_text)
        time.sleep(3)
        assert served.stop() == 0
    assert "the next start goes on with it" in served.log.read_text()
    assert world.branches(path) == []
    assert states(world) == [("running",)]


def states(world: World) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(world.state / "refit.sqlite3")) as store:
        return store.execute("select state from cycles where name like 'monthly-%'").fetchall()


def test_a_port_in_use_is_said(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": PLAIN.format(base=base.pinned)})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        world.settings["web"] = {"port": taken.getsockname()[1]}
        world.settings["schedule"] = dict.fromkeys(("monthly", "observe", "quarterly"), "0 0 29 2 *")

        ended = world.refit("serve")

    assert ended.code == 2
    assert "cannot listen on 127.0.0.1" in ended.err
