"""`refit worker`: another machine that proves or publishes, until it is told to stop."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Annotated, Final

import typer

from bot.app import access, tokens
from bot.commands.options import ConfigOption, load_config
from bot.commands.until_told import listening, run_until_told, share_one_heap
from bot.errors import UsageError
from bot.logs import LogOption, log_to_stderr
from bot.queue.role import Role
from bot.service import WorkerService
from bot.settings import ForgeKind, Settings

log: Final = logging.getLogger(__name__)


class WorkerRole(StrEnum):
    """What a machine is there for."""

    PROVE = Role.PROVE.value
    PUBLISH = Role.PUBLISH.value


RoleOption = Annotated[
    WorkerRole,
    typer.Option("--role", help="Prove: build, scan, start; needs no write token. Publish: no engine."),
]
SlotsOption = Annotated[
    int, typer.Option("--slots", min=1, max=64, metavar="N", help="How many jobs run here at once.")
]


def worker(
    role: RoleOption, slots: SlotsOption = 1, config: ConfigOption = None, log_format: LogOption = None
) -> int:
    """Prove or publish, on another machine, what a `refit serve` with a shared store drives."""
    share_one_heap()
    settings = load_config(config)
    log_to_stderr(settings, log_format)
    if settings.store is None:
        raise UsageError(
            "a worker shares the store with `refit serve`, and the configuration names none",
            hint="Set `store: postgresql://…` on every machine; `refit migrate` copies what there is.",
        )
    _look_at_token(settings, role)
    service = WorkerService(settings, Role(role.value), slots)
    run_until_told(service, service.web, listening(settings.web.host, settings.web.port))
    return 0


def _look_at_token(settings: Settings, role: WorkerRole) -> None:
    """Who publishes needs a way into GitHub; who proves may do without, and is told what that means.

    Raises:
        ConfigError: There is none to publish with.
    """
    if not any(one.forge is ForgeKind.GITHUB for one in settings.projects):
        return
    if role is WorkerRole.PUBLISH:
        access(settings)
    elif not tokens(settings):
        log.info("there is no token for GitHub here: only public projects can be proved")
