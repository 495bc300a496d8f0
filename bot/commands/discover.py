"""`refit discover`: what names an image, and where. No network, no configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.commands.options import Format, FormatOption
from bot.commands.output import colored, width, write, write_json_list
from bot.commands.paths import PathsArgument, scan_paths
from bot.commands.problems import show_problems
from bot.cycle.discover import Found
from bot.model.run import Problem
from bot.model.use import Use
from bot.report import listing, wire


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
