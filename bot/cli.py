"""The command line. Each command: parse → one call → render → exit code.

Exit codes: 0 done · 1 findings, with --fail-on · 2 usage or configuration · 3 some failed ·
4 nothing could be decided for lack of an outside service · 70 a bug · 130 interrupted.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from bot import __version__
from bot.commands import (
    audit,
    check,
    compare,
    config,
    discover,
    doctor,
    init,
    observe,
    report,
    rescan,
    run,
    schedule,
    serve,
    worker,
)
from bot.errors import RefitError

_USAGE: Final = 2
_BUG: Final = 70
_INTERRUPTED: Final = 130

app = typer.Typer(
    name="refit",
    help="Keeps container base images fresh, and proves every update.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)
_config = typer.Typer(help="Check the configuration, or print its schema.", no_args_is_help=True)
app.add_typer(_config, name="config")

_COMMANDS: tuple[tuple[typer.Typer, str, Callable[..., int]], ...] = (
    (app, "init", init.init),
    (app, "doctor", doctor.doctor),
    (app, "discover", discover.discover),
    (app, "check", check.check),
    (app, "observe", observe.observe),
    (app, "run", run.run),
    (app, "rescan", rescan.rescan),
    (app, "compare", compare.compare),
    (app, "audit", audit.audit),
    (app, "report", report.report),
    (app, "schedule", schedule.schedule),
    (app, "serve", serve.serve),
    (app, "worker", worker.worker),
    (_config, "check", config.check),
    (_config, "schema", config.schema),
)
for _group, _name, _function in _COMMANDS:
    # The list of commands shows the whole first sentence: the library would cut it to fit.
    _group.command(_name, short_help=(_function.__doc__ or "").partition("\n\n")[0])(_function)


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
    console = Console(stderr=True)
    try:
        code = _code(application(args=arguments, prog_name="refit", standalone_mode=False))
    except RefitError as error:
        _show(console, error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:
        return _misused(console, error)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception:  # noqa: BLE001 - the last line of defence turns a bug into a report
        return _bug(console)
    if code == _INTERRUPTED:
        console.print("interrupted")
    return code


def _code(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _misused(console: Console, error: typer.TyperException) -> int:
    """A command line that cannot be read: what is wrong with it, and where its help is."""
    context = getattr(error, "ctx", None)
    path = str(context.command_path) if context else "refit"
    message = error.format_message()
    if message.startswith("Usage:"):  # a command line that names no command is answered with the help itself
        sys.stderr.write(f"{message}\n")
        return _USAGE
    # "Value error" is how the library underneath marks a failed check; it says nothing to a person.
    message = message.replace("Value error, ", "").rstrip(".")
    _show(console, message[:1].lower() + message[1:], f"`{path} --help` shows what there is.")
    return _USAGE


def _bug(console: Console) -> int:
    text = f"A bug in Refit {__version__}; please report this:\n{traceback.format_exc()}"
    console.print(Text(text), soft_wrap=True)
    return _BUG


def _show(console: Console, message: str, hint: str) -> None:
    console.print(Text.assemble(("error: ", "bold red"), message), highlight=False, soft_wrap=True)
    if hint:
        console.print(Text.assemble(("hint:  ", "bold"), hint), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
