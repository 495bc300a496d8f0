"""The frame of the command line: exit codes, errors that help, help that fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bot import __version__, cli
from bot.errors import EngineMissing, StoreError, UsageError
from tests.unit.commands.conftest import Refit

COMMANDS = (
    "init",
    "doctor",
    "discover",
    "check",
    "observe",
    "run",
    "rescan",
    "compare",
    "audit",
    "report",
    "schedule",
    "serve",
    "worker",
    "migrate",
)
HELPED = ("", *COMMANDS, "config", "config check", "config schema")

MISTYPED = {
    "command": (["chekc"], "no such command 'chekc'. Did you mean 'check'?", "refit --help"),
    "option": (["check", "--fromat", "json"], "no such option: --fromat (Possible", "refit check --help"),
    "value": (
        ["discover", "--format", "xml"],
        "'xml' is not one of 'table', 'json'",
        "refit discover --help",
    ),
    "level": (["check", "--allow", "all"], "'all' is not one of 'pin', 'digest'", "refit check --help"),
    "missing argument": (["compare"], "missing argument 'A B'", "refit compare --help"),
    "too many": (["doctor", "now"], "unexpected extra argument(s) (now)", "refit doctor --help"),
    "subcommand": (["config", "chek"], "no such command 'chek'", "refit config --help"),
    "outcome": (["check", "--fail-on", "all"], "--fail-on takes update, waiting or abandoned", ""),
    "verdict": (["run", "--fail-on", "all"], "--fail-on takes warn or block", ""),
    "quarter": (["report", "--quarter", "soon"], "--quarter: ", "--quarter 2026Q3"),
    "no configuration": (["run"], "there is no configuration", "refit init"),
    "missing configuration": (["run", "-c", "none.yaml"], "cannot read none.yaml", "refit init"),
    "missing folder": (["discover", "nowhere"], "there is no file or folder nowhere", "Name a folder"),
    "no image": (["check", "--explain"], "need exactly one IMAGE", "refit check --explain nginx"),
    "bad image": (["check", "--explain", "Bad Image"], "an image reference has no spaces", "debian:"),
    "explained as JSON": (["check", "--explain", "--format", "json", "a:1"], "lines for people", "--format"),
    "missing list": (["check", "--tags-from", "none", "a:1"], "cannot read none", "One tag a line"),
}


@pytest.mark.parametrize(("words", "error", "hint"), MISTYPED.values(), ids=MISTYPED.keys())
def test_a_call_that_cannot_be_carried_out_ends_with_2_and_says_what_to_do(
    refit: Refit, words: list[str], error: str, hint: str
) -> None:
    answer = refit(*words)

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert error in answer.err
    assert hint in answer.err


@pytest.mark.parametrize("words", [(), ("config",)], ids=["refit", "refit config"])
def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(
    refit: Refit, words: tuple[str, ...]
) -> None:
    answer = refit(*words)

    assert answer.code == 2
    assert answer.err.startswith(" ".join(["Usage: refit", *words]))
    assert "Commands:" in answer.err


@pytest.mark.parametrize("command", HELPED)
def test_help_fits_100_columns_and_explains_every_option_in_a_sentence(refit: Refit, command: str) -> None:
    answer = refit(*command.split(), "--help")

    assert answer.code == 0
    assert answer.out.startswith(f"Usage: refit {command}".rstrip())
    assert max(len(line) for line in answer.out.splitlines()) <= 100
    options = answer.out.partition("Options:\n")[2].partition("\nCommands:")[0]
    entries = [" ".join(entry.split()) for entry in re.split(r"^  (?=-)", options, flags=re.MULTILINE)[1:]]
    assert entries
    assert [one for one in entries if not re.search(r" [A-Z][a-z][^.]+\b.*(\.|exit\.|\])$", one)] == []


def test_the_help_lists_every_command_with_its_whole_sentence(refit: Refit) -> None:
    out = refit("--help").out

    listed = [line for line in out.partition("Commands:\n")[2].splitlines() if line.strip()]
    assert [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "] == [
        *COMMANDS,
        "config",
    ]
    assert "..." not in out.partition("Commands:\n")[2]


def test_the_version_is_printed(refit: Refit) -> None:
    assert refit("--version").out == f"refit {__version__}\n"


def raising(error: BaseException) -> typer.Typer:
    """A command line whose one command ends with this error."""
    application = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    def command() -> None:
        raise error

    application.command()(command)
    return application


ENDINGS = {
    "usage": (UsageError("no such thing", hint="Look."), 2, "error: no such thing\nhint:  Look.\n"),
    "store": (StoreError("it is broken"), 3, "error: it is broken\n"),
    "service": (EngineMissing("no engine"), 4, "error: no engine\nhint:  Install Docker Engine"),
    "half an installation": (
        ModuleNotFoundError("No module named 'x'", name="x"),
        2,
        "error: this installation of Refit lacks the package x\nhint:  Install it again",
    ),
    "bug": (ZeroDivisionError("division by zero"), 70, f"A bug in Refit {__version__}; please report this:"),
    "interrupted": (KeyboardInterrupt(), 130, "interrupted\n"),
}


@pytest.mark.parametrize(("error", "code", "text"), ENDINGS.values(), ids=ENDINGS.keys())
def test_every_ending_has_its_exit_code_and_its_words(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, text: str
) -> None:
    assert cli.call([], raising(error)) == code

    written = capsys.readouterr()
    assert written.err.startswith(text)
    assert written.out == ""


def test_a_bug_shows_its_traceback_for_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    cli.call([], raising(ZeroDivisionError("division by zero")))

    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_brackets_in_an_error_are_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    cli.call([], raising(UsageError("not [bold]markup[/bold]")))

    assert "not [bold]markup[/bold]" in capsys.readouterr().err


def test_nothing_is_coloured_where_nobody_watches(refit: Refit, write: Callable[[str, str], Path]) -> None:
    write("Dockerfile", "FROM scratch\nFROM debian:12\n")

    for words in (("discover",), ("chekc",), ("--help",), ("doctor",)):
        answer = refit(*words)
        assert "\x1b" not in answer.out + answer.err
