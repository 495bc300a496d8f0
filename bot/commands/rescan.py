"""`refit rescan`: one target or image, now."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.app import ANSWERS, Needs, opened_store
from bot.clock import SystemClock
from bot.commands.opened import opened
from bot.commands.options import ConfigOption, QuietOption, config_or_defaults
from bot.commands.output import write
from bot.cycle.rescan import rescan as rescan_now
from bot.cycle.sboms import rescan_sboms
from bot.cycle.told import mark_told
from bot.errors import UsageError
from bot.model.sboms import Audience
from bot.report.rescan import summary
from bot.report.sboms import summary as sboms_summary
from bot.settings import Settings

SubjectArgument = Annotated[str | None, typer.Argument(metavar="TARGET|IMAGE", hidden=True)]
SbomsOption = Annotated[
    bool, typer.Option("--sboms", help="Rescan the kept SBOM of every target: no image, no engine.")
]


def rescan(
    subject: SubjectArgument = None,
    *,
    sboms: SbomsOption = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> int:
    """Scan a target or an image with the newest database, and compare with its last scan.

    A target is named as in the configuration; an IMAGE needs none. With --sboms, tell for all targets what
    became known since the last time, and what would fix it.
    """
    if (subject is None) is not sboms:
        raise UsageError(
            "name a target or an image, or give --sboms, and not both",
            hint="For example: refit rescan debian:12, or refit rescan --sboms.",
        )
    settings = config_or_defaults(config)
    return _sboms(settings, quiet=quiet) if subject is None else _one(settings, subject, quiet=quiet)


def _one(settings: Settings, subject: str, *, quiet: bool) -> int:
    with opened(settings, Needs(drive=False), quiet=quiet) as parts:
        result = rescan_now(parts, subject)
    write(summary(result))
    return 0


def _sboms(settings: Settings, *, quiet: bool) -> int:
    with opened(settings, ANSWERS, quiet=quiet) as parts:
        parts.progress.step("rescan SBOMs")
        result = rescan_sboms(parts, Audience.PERSON)
    write(sboms_summary(result))
    with opened_store(settings) as store:
        mark_told(result, Audience.PERSON, store, SystemClock().now())
    if result.problems:
        return 3 if result.rescanned else 4
    return 0
