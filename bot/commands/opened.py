"""What a command works with, opened the way every command opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.app import Needs, open_parts
from bot.commands.interrupt import interruptible
from bot.commands.options import errors_console
from bot.cycle.parts import Parts
from bot.progress import TerminalProgress
from bot.settings import Settings


@contextmanager
def opened(settings: Settings, needs: Needs, *, quiet: bool) -> Iterator[Parts]:
    """Open the parts: progress is told on standard error, and a signal ends the command at once."""
    with (
        interruptible(),
        TerminalProgress(errors_console(), quiet=quiet) as progress,
        open_parts(settings, progress, needs) as parts,
    ):
        yield parts
