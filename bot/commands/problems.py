"""How commands tell what failed while the rest went on."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from bot.commands.options import errors_console
from bot.model.run import Problem
from bot.report.quote import visible


def show_problems(problems: Iterable[Problem]) -> int:
    """Write failures to standard error; the exit code is 3 where there are some."""
    console, code = errors_console(), 0
    for problem in problems:
        code = 3
        told = visible(f"{problem.subject}: {problem.error}", limit=400)
        console.print(Text.assemble(("failed: ", "bold red"), told), soft_wrap=True)
        if problem.hint:
            hint = visible(problem.hint, limit=400)
            console.print(Text.assemble(("hint:   ", "bold"), hint), soft_wrap=True)
    return code
