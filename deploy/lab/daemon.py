"""Background programs of the lab: started once, known by process id and start time, ended by that id only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Daemon:
    """One background program and the files that remember it.

    Args:
        name: What it is called in messages.
        folder: Holds `NAME.pid` (process id and start time) and `NAME.log`.
    """

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Everything it wrote since its last start."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The id of the running program, or None; a pid file left by a killed run counts for nothing."""
        try:
            pid, started = self._file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if started == started_at(int(pid)) else None

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        ready: Callable[[], bool],
        timeout: float,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start the program in a session of its own and wait until it answers.

        Raises:
            LabError: It ended, or did not answer in `timeout` seconds; its last line is in the message.
        """
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=None if env is None else dict(env),
            )
        self._file.write_text(f"{process.pid} {started_at(process.pid)}")
        _await(lambda: process.poll() is not None or ready(), timeout)
        if process.poll() is not None or not ready():
            self.stop()
            raise LabError(f"{self.name} did not start: {self._last_line()}", hint=f"Its log: {self.log}")
        process.returncode = 0  # it outlives this object on purpose: no warning that it still runs

    def stop(self, grace: float = 15.0) -> None:
        """Ask the program to end, insist after `grace` seconds, and forget it; nothing if it does not run."""
        pid = self.pid
        if pid is not None:
            end(pid, grace)
        self._file.unlink(missing_ok=True)

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:400] if lines else "it wrote nothing"


def started_at(pid: int) -> str | None:
    """When a process started, in ticks since boot (proc(5), field 22); None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def end(pid: int, grace: float) -> None:
    """End one process: SIGTERM, and SIGKILL when it is still there after `grace` seconds."""
    since = started_at(pid)
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if since is None or started_at(pid) != since:
            break
        os.kill(pid, sign)
        _await(lambda: started_at(pid) != since, patience)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours leaves no zombie; another process's is not ours to collect


def _await(condition: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
