"""Outside programs: argument lists only, a time limit, bounded output, and the whole group killed at the end.

Both pipes are drained by threads: a tool that fills one while we wait on the other would hang for ever.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bot.errors import ProcessFailed

OUTPUT_LIMIT: Final = 64 * 1024**2
_TAIL: Final = 4000
_CHUNK: Final = 65536
_DRAIN_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_ASK_SECONDS: Final = 0.5
_SETPRIV_SECONDS: Final = 30.0
_PASSED_ON: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


_children: Final[set[subprocess.Popen[bytes]]] = set()
_stopping = threading.Event()


def end_all() -> None:
    """End every program that runs, and start none any more: this process is about to end.

    Programs have sessions of their own, so a Ctrl-C at the terminal does not reach them. Whoever waits for
    one gets a KeyboardInterrupt, in whatever thread: work that was cut off must not count as a result.
    """
    _stopping.set()
    for child in list(_children):
        _kill_group(child)


def go_on() -> None:
    """Start programs again after `end_all`: what was interrupted is over, and its ends are to be tied up."""
    _stopping.clear()


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended: its exit code, what it wrote, and how many seconds it took."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def tail(self) -> str:
        """The last part of standard error, else of standard output, for a person to read."""
        return (self.stderr or self.stdout)[-_TAIL:].decode(errors="replace").strip()


def environment(**extra: str) -> dict[str, str]:
    """A small environment: what finds programs and certificates, plus `extra`; no secret."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | extra


def run(  # noqa: PLR0913 - the options of one call to the system, all by keyword
    argv: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    limit: int = OUTPUT_LIMIT,
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
    until: Callable[[], str] | None = None,
    tied: bool = False,
) -> Finished:
    """Run a program to its end.

    Args:
        argv: Program and arguments; never a shell.
        timeout: Seconds until its whole process group is killed.
        cwd: Where it runs.
        env: Its whole environment; None gives `environment()`.
        stdin: What it reads.
        limit: Most bytes it may write to either pipe.
        check: Raise on an exit code other than 0.
        on_line: Called with each line of standard error as it comes (from a thread of its own), the first
            64 KiB of it where it is longer.
        until: Asked twice a second; words mean that the program must end, and why.
        tied: Where the kernel can, let it end with us even if we are killed, by setpriv(1).

    Raises:
        ProcessFailed: It is not there, ran out of time, wrote too much, or failed (with `check`).
    """
    started = time.monotonic()
    process = _start(_tied(argv) if tied else argv, cwd, env)
    _children.add(process)
    with process:
        pipes = _Pipes(process, stdin, limit, on_line)
        try:
            if ended := _waited(process, timeout, until):
                raise _failed(argv, f"was ended: {ended}", pipes)
        except subprocess.TimeoutExpired as error:
            raise _failed(argv, f"did not end within {timeout:g} s", pipes) from error
        finally:
            _kill_group(process)
            _children.discard(process)
            pipes.join()
    if _stopping.is_set():
        raise KeyboardInterrupt
    finished = Finished(process.returncode, pipes.stdout, pipes.stderr, time.monotonic() - started)
    if pipes.overflowed:
        raise _failed(argv, f"wrote more than {limit} bytes", pipes)
    if check and finished.code != 0:
        raise _failed(argv, _ending(finished.code), pipes)
    return finished


def _waited(process: subprocess.Popen[bytes], timeout: float, until: Callable[[], str] | None) -> str:
    """Wait to the end, or until there is a reason to end it; raises TimeoutExpired when time is up."""
    deadline = time.monotonic() + timeout
    while until is not None and process.poll() is None and time.monotonic() < deadline:
        if reason := until():
            return reason
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ASK_SECONDS)
    process.wait(max(0.0, deadline - time.monotonic()))
    return ""


def _start(
    argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    if _stopping.is_set():
        raise KeyboardInterrupt
    try:
        return subprocess.Popen(
            [str(word) for word in argv],
            cwd=cwd,
            env=dict(env) if env is not None else environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # a buffer has a lock, which is not to be had while a thread waits for bytes
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessFailed(
            f"cannot start {argv[0]}: {error.strerror}",
            hint=f"Install {Path(argv[0]).name}, or put it on PATH.",
        ) from error


def _tied(argv: Sequence[str | Path]) -> Sequence[str | Path]:
    """The same program, which the kernel ends with us; one that is not there is left to its own message."""
    return [*_setpriv(), *argv] if shutil.which(argv[0]) else argv


@functools.cache
def _setpriv() -> tuple[str, ...]:
    """The words that set a parent-death signal (prctl(2)); none where no setpriv here knows how."""
    words = (shutil.which("setpriv") or "", "--pdeathsig", "KILL", "--")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run([*words, "true"], check=True, capture_output=True, timeout=_SETPRIV_SECONDS)
        return words
    return ()


class _Pipes:
    """Drains both pipes in threads, bounded; kills the group when a bound is passed."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes,
        limit: int,
        on_line: Callable[[str], None] | None,
    ) -> None:
        self._process, self._limit, self._on_line = process, limit, on_line
        self._chunks: dict[str, list[bytes]] = {"out": [], "err": []}
        self.overflowed = False
        self._over = threading.Event()
        assert process.stdout is not None  # noqa: S101 - asked for above; tells the type checker
        assert process.stderr is not None  # noqa: S101 - likewise
        self._threads = [
            threading.Thread(target=self._drain, args=("out", process.stdout), daemon=True),
            threading.Thread(target=self._drain, args=("err", process.stderr), daemon=True),
            threading.Thread(target=self._feed, args=(stdin,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _feed(self, data: bytes) -> None:
        """Write standard input and close it; a program that does not read it is no error."""
        assert self._process.stdin is not None  # noqa: S101 - asked for at the start
        rest = memoryview(data)
        with contextlib.suppress(OSError, ValueError):
            while rest:
                rest = rest[self._process.stdin.write(rest) :]
            self._process.stdin.close()

    def join(self) -> None:
        """Read what is still in the pipes: the group is dead, and for what left it nobody waits."""
        self._over.set()
        for thread in self._threads:
            thread.join(_DRAIN_SECONDS)

    @property
    def stdout(self) -> bytes:
        return b"".join(self._chunks["out"])

    @property
    def stderr(self) -> bytes:
        return b"".join(self._chunks["err"])

    def _drain(self, name: str, pipe: IO[bytes]) -> None:
        total, chunks = 0, self._chunks[name]
        lines = _Lines(self._on_line) if self._on_line is not None and name == "err" else None
        for chunk in self._read(pipe):
            total += len(chunk)
            if total > self._limit:
                self.overflowed = True
                _kill_group(self._process)
                return
            chunks.append(chunk)
            if lines is not None:
                lines.take(chunk)
        if lines is not None:
            lines.end()

    def _read(self, pipe: IO[bytes]) -> Iterator[bytes]:
        """What comes, until nobody can write any more, or who still could has left the program's group."""
        ready = select.poll()
        ready.register(pipe, select.POLLIN)
        while True:
            if not ready.poll(_LOOK_SECONDS * 1000):
                if self._over.is_set():
                    return
                continue
            with contextlib.suppress(OSError, ValueError):  # it was closed, for `join` waits only so long
                if chunk := os.read(pipe.fileno(), _CHUNK):
                    yield chunk
                    continue
            return


class _Lines:
    """Cuts what comes into lines; of one that is longer than a chunk, the rest is left out."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line, self._begun = on_line, b""

    def take(self, chunk: bytes) -> None:
        """Tell the lines that end in this."""
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._tell(self._begun + piece)
            self._begun = b""
        self._begun = (self._begun + rest)[:_CHUNK]

    def end(self) -> None:
        """Tell what was begun, for nothing follows."""
        if self._begun:
            self._tell(self._begun)

    def _tell(self, line: bytes) -> None:
        self._on_line(line[:_CHUNK].decode(errors="replace"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and every child it left behind; the session we started is theirs alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _failed(argv: Sequence[str | Path], how: str, pipes: _Pipes) -> ProcessFailed:
    output = (pipes.stderr or pipes.stdout)[-_TAIL:].decode(errors="replace").strip()
    last = output.rpartition("\n")[2]
    name = Path(argv[0]).name
    return ProcessFailed(f"{name} {how}" + (f": {last[:300]}" if last else ""), output=output)
