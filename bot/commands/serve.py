"""`refit serve`: schedule, worker, health and chat in one process, until it is told to stop."""

from __future__ import annotations

import logging
from typing import Final

import uvicorn

from bot.commands.options import ConfigOption, load_config
from bot.service import Service

log: Final = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0


def serve(config: ConfigOption = None) -> int:
    """Run the bot: the monthly cycle, the daily observe, the quarterly report, and chat."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = load_config(config)
    service = Service(settings)
    service.start()
    try:
        # uvicorn takes SIGTERM and SIGINT, ends the requests under way, and returns.
        uvicorn.run(service.web, host=settings.web.host, port=settings.web.port, log_config=None)
    finally:
        if not service.stop(_DRAIN_SECONDS):
            log.warning("stopped in the middle of work; the next start goes on with it")
    return 0
