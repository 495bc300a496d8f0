"""What `refit serve` and `refit worker` share: they run until a signal, and then end within a bound."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, Protocol

import uvicorn
from starlette.applications import Starlette

from bot import process
from bot.commands.delivery import heard
from bot.errors import UsageError

log: Final = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0
_LAST_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_REQUEST_SECONDS: Final = 5
_M_ARENA_MAX: Final = -8


class Runs(Protocol):
    """What runs until it is stopped."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self, seconds: float) -> bool:
        """Begin nothing more and wait for what runs; True when it ended in time. May be called again."""
        ...

    def close(self) -> None:
        """Give everything back; nothing runs any more."""
        ...


class Signals:
    """What SIGTERM and SIGINT ask for: the first one to stop, a second one to stop without waiting."""

    def __init__(self) -> None:
        self.told, self.hurry = threading.Event(), threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def _take(self, number: int, _: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        if self.told.is_set():
            self.hurry.set()
        self.told.set()


def share_one_heap() -> None:
    """Keep glibc from giving each thread a heap of its own: 12 MB for a bot of many threads that mostly wait.

    To be called before the first of them. M_ARENA_MAX: https://man7.org/linux/man-pages/man3/mallopt.3.html;
    other C libraries have no such call.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def listening(named: str | None, port: int) -> socket.socket:
    """Take the port before anything is begun: a second bot by mistake starts no work.

    Args:
        named: The host that the configuration names; None takes $REFIT_WEB_HOST, else loopback.
        port: On that host; 0 for any.

    Raises:
        UsageError: It cannot be had.
    """
    host = named or os.environ.get("REFIT_WEB_HOST") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="Another program may use the port: set `web.port`.",
        ) from error
    log.info("listening on http://%s:%d", host, listener.getsockname()[1])
    return listener


def run_until_told(runs: Runs, web: Starlette, listener: socket.socket) -> None:
    """Run, and answer on a port, until a signal comes; then end within the bound."""
    signals = Signals()
    try:
        with heard(), listener, _served(web, listener, signals):
            runs.start()
            signals.told.wait()
    finally:
        _end(runs, signals.hurry)


@contextmanager
def _served(web: Starlette, listener: socket.socket, signals: Signals) -> Iterator[None]:
    """Serve in a thread of its own, so that signals are ours: uvicorn would end the process with them."""
    server = uvicorn.Server(
        uvicorn.Config(
            web,
            log_config=None,
            timeout_graceful_shutdown=_REQUEST_SECONDS,
            lifespan="off",
            ws="none",
        )
    )

    def serve() -> None:
        try:
            server.run([listener])
        finally:
            signals.told.set()  # nobody can ask any more, whyever

    thread = threading.Thread(target=serve, name="refit-web")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _end(runs: Runs, hurry: threading.Event) -> None:
    """End within the bound, whatever still runs: what is unfinished, others go on with."""
    if _drained(runs, hurry):
        runs.close()
        log.info("stopped")
        return
    log.warning("stopped in the middle of work; the next start goes on with it")
    process.end_all()
    if runs.stop(_LAST_SECONDS):
        runs.close()
        return
    # A thread that waits for something else would hold the process up; what it works on is repeatable.
    log.warning("work that does not end was left behind")
    logging.shutdown()
    os._exit(0)


def _drained(runs: Runs, hurry: threading.Event) -> bool:
    """Begin nothing more, and wait for what runs until the bound or a second signal."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while not (ended := runs.stop(_LOOK_SECONDS)):
        if hurry.is_set() or time.monotonic() > deadline:
            break
    return ended
