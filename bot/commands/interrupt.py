"""Stopping when asked to: Ctrl-C or SIGTERM ends the programs that were started, then the command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from bot import process
from bot.commands.delivery import heard

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal end a command at once: threads that wait for a program would wait for its end otherwise.

    Raises:
        KeyboardInterrupt: A signal came; the exit code is 130.
    """
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    try:
        with heard():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    process.end_all()
    raise KeyboardInterrupt
