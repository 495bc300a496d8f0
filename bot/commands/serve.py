"""`refit serve`: schedule, worker, health and chat in one process, until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Final

import uvicorn

from bot import process
from bot.commands.options import ConfigOption, load_config
from bot.errors import UsageError
from bot.service import Service

log: Final = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0
_LAST_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_REQUEST_SECONDS: Final = 5
_CHATTY: Final = ("httpx2", "alembic", "uvicorn.access", "apscheduler", "slack_bolt")


def serve(config: ConfigOption = None) -> int:
    """Run the bot: the monthly cycle, the daily observe, the quarterly report, and chat."""
    _log_plainly()
    settings = load_config(config)
    service = Service(settings)
    with _listening(settings.web.host, settings.web.port) as listener:
        options = uvicorn.Config(
            service.web, log_config=None, timeout_graceful_shutdown=_REQUEST_SECONDS, lifespan="off"
        )
        _serve_until_told(uvicorn.Server(options), service, listener)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Take the port before anything is begun: a second bot by mistake starts no work.

    Raises:
        UsageError: It cannot be had.
    """
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


class _Signals:
    """What SIGTERM and SIGINT ask for: the first one to stop, a second one to stop without waiting."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server
        self.hurry = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def _take(self, number: int, _: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        if self._server.should_exit:
            self.hurry.set()
        self._server.should_exit = True


def _serve_until_told(server: uvicorn.Server, service: Service, listener: socket.socket) -> None:
    """Serve in a thread of its own, so that signals are ours: uvicorn would end the process with them."""
    signals = _Signals(server)
    web = threading.Thread(target=server.run, args=([listener],), name="refit-web")
    web.start()
    try:
        service.start()
        web.join()
    finally:
        server.should_exit = True
        _stop(service, signals.hurry)


def _stop(service: Service, hurry: threading.Event) -> None:
    """End within the bound, whatever still runs: what is unfinished, the next start goes on with."""
    if _drained(service, hurry):
        service.close()
        log.info("stopped")
        return
    log.warning("stopped in the middle of work; the next start goes on with it")
    process.end_all()
    if service.stop(_LAST_SECONDS):
        service.close()
        return
    # A thread that waits for something else would hold the process up; what it works on is repeatable.
    log.warning("work that does not end was left behind")
    logging.shutdown()
    os._exit(0)


def _drained(service: Service, hurry: threading.Event) -> bool:
    """Begin nothing more, and wait for what runs until the bound or a second signal."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while not (ended := service.stop(_LOOK_SECONDS)):
        if hurry.is_set() or time.monotonic() > deadline:
            break
    return ended


def _log_plainly() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
