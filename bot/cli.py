"""The command line. Each command: parse → one call → render → exit code.

Exit codes: 0 done · 1 findings, with --fail-on · 2 usage or configuration · 3 some failed ·
4 nothing could be decided for lack of an outside service · 70 a bug · 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer
from click.exceptions import ClickException, Exit
from rich.console import Console
from rich.text import Text

from bot import __version__
from bot.commands import check, config, discover, doctor, init, report, rescan, run, serve
from bot.errors import RefitError

app = typer.Typer(
    name="refit",
    help="Keeps container base images fresh, and proves every update.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_config = typer.Typer(help="Check the configuration, or print its schema.", no_args_is_help=True)
app.add_typer(_config, name="config")

_COMMANDS: tuple[tuple[typer.Typer, str, Callable[..., int]], ...] = (
    (app, "init", init.init),
    (app, "doctor", doctor.doctor),
    (app, "discover", discover.discover),
    (app, "check", check.check),
    (app, "run", run.run),
    (app, "rescan", rescan.rescan),
    (app, "report", report.report),
    (app, "serve", serve.serve),
    (_config, "check", config.check),
    (_config, "schema", config.schema),
)
for _group, _name, _function in _COMMANDS:
    _group.command(_name)(_function)


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
    sys.exit(call(arguments))


def call(arguments: list[str] | None = None) -> int:  # noqa: PLR0911 - one way out for each kind of ending
    """Run the command line and return its exit code; every ending has its own code and text."""
    console = Console(stderr=True)
    try:
        return _code(app(args=arguments, standalone_mode=False))
    except RefitError as error:
        _show(console, error)
        return error.exit_code
    except Exit as error:
        return error.exit_code
    except ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        console.print("interrupted")
        return 130
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except Exception:  # noqa: BLE001 - the last line of defence turns a bug into a report
        console.print(Text(f"A bug in Refit {__version__}; please report this:\n{traceback.format_exc()}"))
        return 70


def _code(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _show(console: Console, error: RefitError) -> None:
    console.print(Text.assemble(("error: ", "bold red"), error.message), highlight=False, soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint:  ", "bold"), error.hint), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
