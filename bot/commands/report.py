"""`refit report`: the quarterly size report."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from bot.app import open_parts
from bot.commands.interrupt import interruptible
from bot.commands.options import ConfigOption, QuietOption, errors_console, load_config
from bot.commands.output import write
from bot.cycle.quarterly import Reports, publish_reports, size_report
from bot.errors import UsageError
from bot.progress import TerminalProgress
from bot.report.size import parse_quarter
from bot.report.size_markdown import markdown, title

QuarterOption = Annotated[
    str | None,
    typer.Option("--quarter", metavar="2026Q3", help="Report this quarter. [default: the last complete one]"),
]
PublishOption = Annotated[
    bool,
    typer.Option("--publish", help="Open one issue for each project; only show it otherwise."),
]


def report(
    *,
    quarter: QuarterOption = None,
    publish: PublishOption = False,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> int:
    """Show how large every target is, what changed over the quarter, and what to do next."""
    if quarter is not None:
        _check(quarter)
    settings = load_config(config)
    with (
        interruptible(),
        TerminalProgress(errors_console(), quiet=quiet) as progress,
        open_parts(settings, progress, drive=publish, engine=False) as parts,
    ):
        progress.step("report")
        if publish:
            return _published(publish_reports(parts, quarter))
        made = size_report(parts, None, quarter)
        write(f"# {title(made)}\n\n{markdown(made)}")
    return 0


def _published(reports: Reports) -> int:
    """Where the issues are, and which forge did not take its own."""
    for issue in reports.published:
        write(issue.url)
    for problem in reports.problems:
        text = f"error: {problem.subject}: {problem.error}\nhint:  {problem.hint}"
        errors_console().print(Text(text), soft_wrap=True)
    if not reports.published and not reports.problems:
        write("Nothing was measured yet: no issue was opened.")
    if not reports.problems:
        return 0
    return 3 if reports.published else 4


def _check(quarter: str) -> None:
    try:
        parse_quarter(quarter)
    except ValueError as error:
        raise UsageError(f"--quarter: {error}", hint="For example: --quarter 2026Q3") from error
