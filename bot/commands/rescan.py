"""`refit rescan`: one target or image, now."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.app import open_parts
from bot.commands.interrupt import interruptible
from bot.commands.options import ConfigOption, QuietOption, config_or_defaults, errors_console
from bot.commands.output import write
from bot.cycle.rescan import rescan as rescan_now
from bot.progress import TerminalProgress
from bot.report.rescan import summary

SubjectArgument = Annotated[str, typer.Argument(metavar="TARGET|IMAGE", hidden=True)]


def rescan(subject: SubjectArgument, *, config: ConfigOption = None, quiet: QuietOption = False) -> int:
    """Scan a target or an image with the newest database, and compare with its last scan.

    A target is named as in the configuration; an IMAGE needs none.
    """
    settings = config_or_defaults(config)
    with (
        interruptible(),
        TerminalProgress(errors_console(), quiet=quiet) as progress,
        open_parts(settings, progress, drive=False) as parts,
    ):
        progress.step(f"rescan {subject}")
        result = rescan_now(parts, subject)
    write(summary(result))
    return 0
