"""A bug in the way of one project or target, as a value: it must not cost the others theirs."""

from __future__ import annotations

import traceback
from typing import Final

from bot.model.run import Problem

HINT: Final = "Please report it with the output of this run."


def bug(subject: str, error: Exception) -> Problem:
    """What went wrong, and in which function."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = f"a bug in Refit: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return Problem(subject, what, HINT)
