"""`refit serve`: schedule, worker, health and chat in one process, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
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
_REQUEST_SECONDS: Final = 5
_CHATTY: Final = ("httpx2", "alembic", "uvicorn.access", "apscheduler")


def serve(config: ConfigOption = None) -> int:
    """Run the bot: the monthly cycle, the daily observe, the quarterly report, and chat."""
    _log_plainly()
    settings = load_config(config)
    service = Service(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            service.web,
            host=settings.web.host,
            port=settings.web.port,
            log_config=None,
            timeout_graceful_shutdown=_REQUEST_SECONDS,
        )
    )
    _serve_until_told(server, service)
    return 0


def _serve_until_told(server: uvicorn.Server, service: Service) -> None:
    """Serve in a thread of its own, so that signals are ours: uvicorn would end the process with them."""

    def stop(number: int, _: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    web = threading.Thread(target=server.run, name="refit-web")
    web.start()
    try:
        service.start()
        web.join()
        if not server.started:
            raise UsageError(
                f"cannot listen on {server.config.host}:{server.config.port}",
                hint="Another program may use the port: set `web.port`.",
            )
    finally:
        server.should_exit = True
        if not service.stop(_DRAIN_SECONDS):
            log.warning("stopped in the middle of work; the next start goes on with it")
            process.end_all()
            service.stop(_LAST_SECONDS)


def _log_plainly() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
