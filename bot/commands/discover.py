"""`refit discover`: what names an image, and where. No network, no configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from bot.commands.options import Format, FormatOption, errors_console
from bot.commands.output import colored, width, write, write_json_list
from bot.commands.paths import PathsArgument, scan_paths
from bot.cycle.discover import Found
from bot.model.run import Problem
from bot.model.use import Use
from bot.report import listing, wire
from bot.report.quote import visible


def discover(paths: PathsArgument = None, output: FormatOption = Format.TABLE) -> int:
    """List every place that names an image: file, line, and the image as resolved.

    PATH is a folder or a file, by default this folder. Asks no registry and needs no configuration.
    """
    problems: list[Problem] = []
    uses = _uses(scan_paths(paths), problems)
    if output is Format.JSON:
        write_json_list("uses", wire.discovered(uses))
    else:
        for part in listing.uses_table(uses, width=width(), color=colored()):
            write(part)
    return show_problems(problems)


def _uses(found: Iterable[Found | Problem], problems: list[Problem]) -> Iterator[Use]:
    """Each use once, also of a Dockerfile that several targets build; problems are put aside for the end."""
    file, seen = "", set[str]()
    for one in found:
        if isinstance(one, Problem):
            problems.append(one)
            continue
        if one.use.file != file:
            file, seen = one.use.file, set()
        if one.use.id not in seen:
            seen.add(one.use.id)
            yield one.use


def show_problems(problems: list[Problem]) -> int:
    """Write failures to standard error; the exit code is 3 where there are some."""
    console = errors_console()
    for problem in problems:
        told = visible(f"{problem.subject}: {problem.error}", limit=400)
        console.print(Text.assemble(("failed: ", "bold red"), told), soft_wrap=True)
        if problem.hint:
            console.print(Text.assemble(("hint:   ", "bold"), problem.hint), soft_wrap=True)
    return 3 if problems else 0
