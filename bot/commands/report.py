"""`refit report`: the quarterly size report."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, assert_never

import typer

from bot.app import Needs
from bot.commands.opened import opened
from bot.commands.options import ConfigOption, QuietOption, load_config
from bot.commands.output import write
from bot.commands.problems import show_problems
from bot.cycle.quarterly import Reports, publish_reports, size_report
from bot.errors import UsageError
from bot.report.size import html, shapes
from bot.report.size.markdown import markdown, title
from bot.report.size.quarter import parse_quarter
from bot.report.size.values import SizeReport

QuarterOption = Annotated[
    str | None,
    typer.Option("--quarter", metavar="2026Q3", help="Report this quarter. [default: the last complete one]"),
]
PublishOption = Annotated[
    bool,
    typer.Option("--publish", help="Open one issue for each project; only show it otherwise."),
]


class Format(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How it is written, to standard output.")]


def report(
    *,
    quarter: QuarterOption = None,
    publish: PublishOption = False,
    form: FormatOption = Format.MARKDOWN,
    config: ConfigOption = None,
    quiet: QuietOption = False,
) -> int:
    """Show how large every target is, what changed over the quarter, and what to do next."""
    if quarter is not None:
        _check(quarter)
    settings = load_config(config)
    with opened(settings, Needs(drive=publish, engine=False), quiet=quiet) as parts:
        parts.progress.step("report")
        if publish:
            return _published(publish_reports(parts, quarter))
        write(_written(size_report(parts, None, quarter), form))
    return 0


def _written(made: SizeReport, form: Format) -> str:
    match form:
        case Format.MARKDOWN:
            return f"# {title(made)}\n\n{markdown(made)}"
        case Format.HTML:
            return html.page(made)
        case Format.JSON:
            return json.dumps(shapes.document(made), indent=2, ensure_ascii=False)
        case _:
            assert_never(form)


def _published(reports: Reports) -> int:
    """Where the issues are, and which forge did not take its own."""
    for issue in reports.published:
        write(issue.url)
    failed = show_problems(reports.problems)
    if not reports.published and not failed:
        write("Nothing was measured yet: no issue was opened.")
    return 4 if failed and not reports.published else failed


def _check(quarter: str) -> None:
    try:
        parse_quarter(quarter)
    except ValueError as error:
        raise UsageError(f"--quarter: {error}", hint="For example: --quarter 2026Q3") from error
