"""`refit doctor`: what Refit needs from this machine, and what to do where it is not there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.commands.checkup import Finding, Mark, examine
from bot.commands.options import ConfigOption, config_or_defaults, find_config
from bot.commands.output import colored, width
from bot.report.quote import visible
from bot.report.wording import count
from bot.settings import Settings

_STYLES: Final = {Mark.FINE: "green", Mark.WARNING: "yellow", Mark.PROBLEM: "bold red"}
_NAME: Final = 13


def doctor(config: ConfigOption = None) -> int:
    """Check what a run needs on this machine, and say what to do where it is missing.

    Looks at the state folder, disk, git, the engine and its BuildKit, Trivy, its database, and every
    forge. The exit code is 3 where something is in the way of a run; a missing engine is not, for
    evidence then stays at level base.
    """
    path, settings = find_config(config), config_or_defaults(config)
    console = Console(file=sys.stdout, highlight=False, width=width(), no_color=not colored())
    marks = []
    for finding in (_configuration(path, settings), *examine(settings)):
        _show(console, finding)
        marks.append(finding.mark)
    problems, warnings = marks.count(Mark.PROBLEM), marks.count(Mark.WARNING)
    _foot(console, problems, warnings)
    return 3 if problems else 0


def _configuration(path: Path | None, settings: Settings) -> Finding:
    if path is None:
        seen = "none here: the defaults were checked"
        return Finding("configuration", Mark.FINE, seen, "`refit init` writes one for this folder.")
    if not settings.projects:
        advice = "Name what is under care below `projects:`; config/bot.example.yaml shows how."
        return Finding("configuration", Mark.WARNING, f"{path} names no project", advice)
    return Finding("configuration", Mark.FINE, f"{path}, {count(len(settings.projects), 'project')}")


def _show(console: Console, finding: Finding) -> None:
    """One line of what was seen, and under it what to do."""
    name = visible(finding.name, limit=80)
    console.print(
        Text.assemble((finding.mark, _STYLES[finding.mark]), f" {name:{_NAME}}  "),
        end="" if len(name) <= _NAME else "\n",
    )
    lines = [Text(visible(finding.seen, limit=400))]
    if finding.advice:
        lines.append(Text(visible(finding.advice, limit=400), "" if finding.mark is Mark.PROBLEM else "dim"))
    _indented(console, lines, first=len(name) > _NAME)


def _indented(console: Console, lines: list[Text], *, first: bool) -> None:
    indent = _NAME + 4
    text = Text("\n").join(lines)
    wrapped = text.wrap(console, max(20, console.width - indent))
    for number, line in enumerate(wrapped):
        line.rstrip()
        console.print(Padding(line, (0, 0, 0, indent if number or first else 0), expand=False))


def _foot(console: Console, problems: int, warnings: int) -> None:
    if problems:
        told = f"{count(problems, 'problem')} in the way of a run."
    else:
        told = "Ready for a run" + (f", {count(warnings, 'warning')}." if warnings else ".")
    console.print(Text(told, "bold"))
