"""`refit serve`: schedule, worker, health and chat in one process, until it is told to stop."""

from __future__ import annotations

from bot.commands.options import ConfigOption, load_config
from bot.commands.until_told import listening, run_until_told, share_one_heap
from bot.logs import LogOption, log_to_stderr
from bot.service import Service


def serve(config: ConfigOption = None, log_format: LogOption = None) -> int:
    """Run the bot: the monthly cycle, daily looks, the quarterly report, clean-up and chat."""
    share_one_heap()
    settings = load_config(config)
    log_to_stderr(settings, log_format)
    service = Service(settings)
    run_until_told(service, service.web, listening(settings.web.host, settings.web.port))
    return 0
