"""A real `refit serve`, until it is stopped."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from deploy.lab.ports import free_port
from tests.e2e.world import World

PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


@dataclass(frozen=True, slots=True)
class Served:
    """A `refit serve` that runs."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60)

    def tell(self) -> None:
        """Ask it to stop."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.tell()
        return self.process.wait(400)

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> None:
        """Wait until its log holds these words."""
        wait_until(lambda: words in self.text(), what=self.text)


@contextmanager
def serving(world: World, *, number: int = 1) -> Iterator[Served]:
    """A bot on a port of its own, until it is stopped; `number` tells its log from another one's."""
    port = free_port()
    world.settings["web"] = {"port": port}
    log = world.folder / f"serve-{number}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            world.command("serve"), cwd=world.folder, env=world.environment(), stdout=out, stderr=out
        )
    served = Served(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until(lambda: ready(served), what=lambda: f"not ready: {served.text()}")
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(30)


def ready(served: Served) -> bool:
    try:
        return served.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], bool], *, what: Callable[[], str], seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
