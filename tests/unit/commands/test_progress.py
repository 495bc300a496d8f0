"""Progress: what a person sees on a terminal, and what a log keeps elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import pytest
from rich.console import Console

from bot import progress as module
from bot.progress import TerminalProgress

LONG = "prove 1/12: registry.example.com/a-team/with-a-long-name/debian:bookworm-slim in acme/shop"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def console(width: int, *, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, force_terminal=terminal, color_system=None), file


def drawn(file: io.StringIO) -> Sequence[str]:
    """Every line that was ever drawn, escapes taken out."""
    return _ESCAPE.sub("", file.getvalue().replace("\r", "\n")).splitlines()


def test_a_log_gets_a_line_for_each_step_and_detail_with_the_time() -> None:
    shown, file = console(80, terminal=False)

    with TerminalProgress(shown) as progress:
        progress.step("discover shop")
        progress.step(LONG)
        progress.detail("backend: build before and after")

    lines = file.getvalue().splitlines()
    assert [re.sub(r"\d+\.\d s", "T s", re.sub(r"\[\d\d:\d\d\]", "[T]", line)) for line in lines] == [
        "[T] … discover shop",
        "[T] ✓ discover shop (T s)",
        f"[T] … {LONG}",
        "[T]   backend: build before and after",
        f"[T] ✓ {LONG} (T s)",
    ]
    assert "\x1b" not in file.getvalue()


def test_a_step_that_goes_on_elsewhere_is_not_marked_as_if_it_failed() -> None:
    shown, file = console(80, terminal=False)

    def stopped() -> None:
        with TerminalProgress(shown) as progress:
            progress.step("resolve 5 uses")
            progress.let_go()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()

    assert file.getvalue().splitlines() == ["[00:00] … resolve 5 uses"]


def test_a_step_that_failed_is_marked_so() -> None:
    shown, file = console(80, terminal=False)

    def interrupted() -> None:
        with TerminalProgress(shown) as progress:
            progress.step("resolve 5 uses")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert "✗ resolve 5 uses" in file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_no_line_is_as_wide_as_the_terminal(width: int) -> None:
    shown, file = console(width, terminal=True)

    with TerminalProgress(shown) as progress:
        progress.step(LONG)
        progress.detail("a-target-with-a-name-that-somebody-invented: build before and after (linux/amd64)")

    lines = drawn(file)
    assert any("prove 1/12" in line for line in lines)
    assert any("a-target-with-a" in line for line in lines)
    assert max(map(len, lines)) < width


def test_on_a_terminal_a_step_that_took_no_time_leaves_no_line() -> None:
    shown, file = console(80, terminal=True)

    with TerminalProgress(shown) as progress:
        progress.step("discover shop")

    assert "✓" not in file.getvalue()


def test_quiet_says_nothing() -> None:
    for terminal in (True, False):
        shown, file = console(80, terminal=terminal)
        with TerminalProgress(shown, quiet=True) as progress:
            progress.step("discover shop")
            progress.detail("backend")
        assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (42.9, "0:42"), (725, "12:05"), (3723, "1:02:03")]
)
def test_elapsed_time_reads_like_a_clock(seconds: float, text: str) -> None:
    assert module._clock(seconds) == text
