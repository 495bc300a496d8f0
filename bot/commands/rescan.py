"""`refit rescan`: one target or image, now."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.app import open_parts
from bot.commands.options import ConfigOption, QuietOption, errors_console, find_config
from bot.commands.output import write
from bot.cycle.rescan import rescan as rescan_now
from bot.cycle.rescan import summary
from bot.progress import TerminalProgress
from bot.settings import Settings, load

SubjectArgument = Annotated[str, typer.Argument(metavar="TARGET|IMAGE", help="A target's name, or an image.")]


def rescan(subject: SubjectArgument, *, config: ConfigOption = None, quiet: QuietOption = False) -> int:
    """Scan a target or an image with the newest database; shows the difference to the last scan."""
    path = find_config(config)
    settings = load(path) if path else Settings()
    with (
        TerminalProgress(errors_console(), quiet=quiet) as progress,
        open_parts(settings, progress) as parts,
    ):
        progress.step(f"rescan {subject}")
        result = rescan_now(parts, subject)
    write(summary(result))
    return 0
