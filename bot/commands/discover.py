"""`refit discover`: what names an image, and where. No network, no configuration."""

from __future__ import annotations

from rich.text import Text

from bot.commands.options import Format, FormatOption, errors_console
from bot.commands.output import colored, width, write, write_json
from bot.commands.paths import PathsArgument, read_paths
from bot.model.run import Problem
from bot.report import terminal, wire
from bot.report.quote import visible


def discover(paths: PathsArgument = None, output: FormatOption = Format.TABLE) -> int:
    """List every place that names an image: file, line, and the image as resolved.

    PATH is a folder or a file, by default this folder. Asks no registry and needs no configuration.
    """
    found, problems = read_paths(paths)
    # A Dockerfile of several targets is read once for each; here it counts once.
    uses = list({one.use.id: one.use for one in found}.values())
    if output is Format.JSON:
        write_json(wire.discover(uses))
    else:
        write(terminal.uses_table(uses, width=width(), color=colored()))
    return show_problems(problems)


def show_problems(problems: list[Problem]) -> int:
    """Write failures to standard error; the exit code is 3 where there are some."""
    console = errors_console()
    for problem in problems:
        told = visible(f"{problem.subject}: {problem.error}", limit=400)
        console.print(Text.assemble(("failed: ", "bold red"), told), soft_wrap=True)
        if problem.hint:
            console.print(Text.assemble(("hint:   ", "bold"), problem.hint), soft_wrap=True)
    return 3 if problems else 0
