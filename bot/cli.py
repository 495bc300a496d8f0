"""The command line. Each command: parse → one call → render → exit code.

Exit codes: 0 done · 1 findings, with --fail-on · 2 usage or configuration · 3 some failed ·
4 nothing could be decided for lack of an outside service · 70 a bug · 130 interrupted.
"""

from __future__ import annotations

import io
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from bot import __version__
from bot.errors import RefitError
from bot.report.quote import shown_line

if TYPE_CHECKING:
    from typer._click.core import Command, Context  # the types that the library's groups are written with

_USAGE: Final = 2
_BUG: Final = 70
_INTERRUPTED: Final = 130

# In the order of the help. Each is `bot.commands.NAME`, imported when it is called: discover needs no forge,
# and no command waits for the others.
_COMMANDS: Final = (
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
    "config",
)


class _Commands(TyperGroup):
    """The commands by name; the help of all of them imports all of them."""

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - the library's signature
        """Every command, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of a name, or None; then all are there, for the library to suggest one of them."""
        if cmd_name not in _COMMANDS:
            for name in _COMMANDS:
                self.get_command(ctx, name)
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _config() if cmd_name == "config" else _command(cmd_name, cmd_name)
        return self.commands[cmd_name]


def _command(module: str, name: str) -> Command:
    function = getattr(import_module(f"bot.commands.{module}"), name)
    # The list of commands shows the whole first sentence: the library would cut it to fit.
    info = CommandInfo(name=name, callback=function, short_help=(function.__doc__ or "").partition("\n\n")[0])
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def _config() -> Command:
    group = TyperGroup(
        name="config",
        help="Check the configuration, or print its schema.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name in ("check", "schema"):
        group.add_command(_command("config", name))
    return group


app = typer.Typer(
    name="refit",
    cls=_Commands,
    help="Keeps container base images fresh, and proves every update.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback shape
    if wanted:
        typer.echo(f"refit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keeps container base images fresh, and proves every update."""
    del version  # its callback has answered


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names are bytes, and a terminal may know little: what it cannot show is shown as an escape.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(call(arguments))


def call(arguments: list[str] | None = None, application: typer.Typer = app) -> int:
    """Run the command line and return its exit code; every ending has its own code and text."""
    try:
        code = _code(application(args=arguments, prog_name="refit", standalone_mode=False))
    except RefitError as error:
        _show(error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:
        return _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except ModuleNotFoundError as error:  # a checkout that was renewed, and not installed again
        hint = "Install it again: `make .venv/ready` in a checkout, else `pip install` as before."
        _show(f"this installation of Refit lacks the package {error.name}", hint)
        return _USAGE
    except Exception:  # noqa: BLE001 - the last line of defence turns a bug into a report
        return _bug()
    if code == _INTERRUPTED:
        _say("interrupted")
    return code


def _code(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _misused(error: typer.TyperException) -> int:
    """A command line that cannot be read: what is wrong with it, and where its help is."""
    context = getattr(error, "ctx", None)
    path = str(context.command_path) if context else "refit"
    message = error.format_message()
    if message.startswith("Usage:"):  # a command line that names no command is answered with the help itself
        sys.stderr.write(f"{message}\n")
        return _USAGE
    # "Value error" is how the library underneath marks a failed check; it says nothing to a person.
    message = message.replace("Value error, ", "").rstrip(".")
    _show(message[:1].lower() + message[1:], f"`{path} --help` shows what there is.")
    return _USAGE


def _bug() -> int:
    text = f"A bug in Refit {__version__}; please report this:\n{traceback.format_exc()}"
    _say(text)
    return _BUG


def _show(message: str, hint: str) -> None:
    """A message may quote what a registry, git or a project says: none of it steers the terminal."""
    message, hint = ("\n".join(map(shown_line, text.split("\n"))) for text in (message, hint))
    _say(("error: ", "bold red"), message)
    if hint:
        _say(("hint:  ", "bold"), hint)


def _say(*parts: str | tuple[str, str]) -> None:
    """Write to standard error. What does that is loaded now: a bot that goes well never needs it."""
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - likewise

    Console(stderr=True).print(Text.assemble(*parts), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
