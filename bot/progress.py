"""Progress on standard error: a live line with elapsed time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

# On a terminal, a step that took less leaves no line: it would be read later than it ran.
_WORTH_A_LINE: Final = 0.5
_PER_SECOND: Final = 8
_SPARED: Final = 3  # room for the `^C` that a terminal writes behind the cursor: it must not wrap either


class TerminalProgress:
    """The `Progress` port: what is being done, and how long each step took.

    On a terminal the step and its detail are drawn anew until the step ends, each on one line, cut to the
    terminal's width. Elsewhere each is a line of its own, with the time since the start.

    Args:
        console: Where to write; standard error, so that standard output stays a document.
        quiet: Say nothing.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._step, self._detail, self._since = "", "", time.monotonic()
        self._start = self._since
        self._spinner = Spinner("dots", style="cyan")
        self._live: Live | None = None
        self._left_lines = False

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(
                console=self._console,
                get_renderable=self._drawn,
                refresh_per_second=_PER_SECOND,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_step(failed=error is not None)
        if self._live is not None:
            self._live.stop()
            if self._left_lines:
                self._console.print()  # keeps what was done apart from what came of it

    def step(self, text: str) -> None:
        """A step of the run begins; the one before gets its time."""
        self._end_step()
        self._step, self._detail, self._since = text, "", time.monotonic()
        self._tell(f"… {text}")

    def detail(self, text: str) -> None:
        """Something worth a line inside the current step."""
        self._detail = text
        self._tell(f"  {text}")

    def let_go(self) -> None:
        """The step goes on, but elsewhere: how it ends is not told here."""
        self._step = ""

    def say(self, text: str) -> None:
        """A sentence that stays, above what is live."""
        if not self._quiet:
            self._left_lines = True
            self._console.print(Text(text), highlight=False, soft_wrap=True)

    def _tell(self, line: str) -> None:
        """Draw what is live at once; elsewhere, write the line."""
        if self._live is not None:
            self._live.refresh()
        elif not self._quiet:
            self._line(line)

    def _end_step(self, *, failed: bool = False) -> None:
        step, seconds = self._step, time.monotonic() - self._since
        self._step = ""
        if not step or self._quiet:
            return
        mark = "✗" if failed else "✓"
        if self._live is None:
            self._line(f"{mark} {step} ({seconds:.1f} s)")
        elif failed or seconds >= _WORTH_A_LINE:
            self._left_lines = True
            text = Text.assemble((mark, "red" if failed else "green"), f" {_clock(seconds)}  {step}")
            self._console.print(self._cut(text))

    def _drawn(self) -> Text:
        """The live lines: spinner, the step's time, the step; and under it what the step is at."""
        if not self._step:
            return Text()
        frame = self._spinner.render(time.monotonic())
        clock = f" {_clock(time.monotonic() - self._since)}  "
        step = self._cut(Text.assemble(frame if isinstance(frame, Text) else "", clock, self._step))
        if not self._detail:
            return step
        detail = self._cut(Text(" " * (1 + len(clock)) + self._detail, "dim"))
        return Text("\n", no_wrap=True).join((step, detail))

    def _cut(self, text: Text) -> Text:
        """Text that fits one line; a line that wraps cannot be drawn anew."""
        text.no_wrap = True
        text.truncate(max(1, self._console.width - _SPARED), overflow="ellipsis")
        return text

    def _line(self, text: str) -> None:
        total = int(time.monotonic() - self._start)
        told = Text(f"[{total // 60:02}:{total % 60:02}] {text}")
        self._console.print(told, highlight=False, soft_wrap=True)


def _clock(seconds: float) -> str:
    """Elapsed time as `0:42`, `12:05`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
