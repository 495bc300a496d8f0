"""Progress on standard error: a live line with elapsed time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text


class TerminalProgress:
    """The `Progress` port: what is being done, and how long each step took.

    Args:
        console: Where to write; standard error, so that standard output stays a document.
        quiet: Say nothing.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._step, self._since = "", time.monotonic()
        self._start = self._since
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_step()
        if self._status is not None:
            self._status.stop()

    def step(self, text: str) -> None:
        """A step of the run begins; the one before gets its time."""
        self._end_step()
        self._step, self._since = text, time.monotonic()
        if self._status is not None:
            self._status.update(Text(text))
        elif not self._quiet:
            self._line(f"… {text}")

    def detail(self, text: str) -> None:
        """Something worth a line inside the current step."""
        if self._quiet:
            return
        if self._status is not None:
            self._status.update(Text(f"{self._step} · {text}"))
        else:
            self._line(f"  {text}")

    def _end_step(self) -> None:
        if self._step and not self._quiet:
            self._line(f"✓ {self._step} ({time.monotonic() - self._since:.1f} s)")
        self._step = ""

    def _line(self, text: str) -> None:
        total = time.monotonic() - self._start
        self._console.print(Text(f"[{int(total) // 60:02}:{int(total) % 60:02}] {text}"), highlight=False)
