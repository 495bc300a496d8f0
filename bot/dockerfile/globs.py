"""Globs with the syntax of .gitignore, also those of people we do not know.

One with many stars can take for ever on a long path: such a glob runs on the `regex` package, which can be
given a time limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pathspec
import regex
from pathspec.pattern import RegexMatchResult
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from bot.errors import ConfigError

_SECONDS: Final = 2.0
_SLOW: Final = 0.001  # seconds of one look
_GIVEN_BACK: Final = 0.0001  # by each quick look: the pauses of a machine must not add up over months
_PLAIN: Final = 1  # stars of a glob that cannot take long


@dataclass(slots=True)
class Allowance:
    """Seconds that slow looks may take, and what is left of them, for all globs that share it."""

    seconds: float = _SECONDS
    left: float = _SECONDS

    def search(self, expression: regex.Pattern[str], path: str, glob: str) -> Any:
        """Look with one expression in the time that is left.

        Raises:
            ConfigError: It is not enough.
        """
        started = time.thread_time()
        try:
            found = expression.search(path, timeout=max(self.left, _SLOW))
        except TimeoutError as error:
            self.left = 0.0
            raise ConfigError(
                f"the glob {glob[:100]!r} takes too long to match", hint="Write it with fewer stars."
            ) from error
        took = time.thread_time() - started
        self.left = self.left - took if took > _SLOW else min(self.seconds, self.left + _GIVEN_BACK)
        return found


class Globs:
    """Globs in their order: the last one that matches a path decides.

    Args:
        lines: The globs; blank lines and comments are none, and a malformed one matches nothing, as with git.
        allowance: How long the slow ones may take; 2 s by default.
    """

    def __init__(self, lines: Iterable[str], allowance: Allowance | None = None) -> None:
        made = partial(_pattern, allowance or Allowance())
        self._spec = pathspec.GitIgnoreSpec.from_lines(lines, made)

    def verdict(self, path: str) -> bool | None:
        """True where a path is matched, False where a later `!` takes it out again, None where none speaks.

        Raises:
            ConfigError: The globs take too long.
        """
        return self._spec.check_file(path).include

    def match(self, path: str) -> bool:
        """Tell whether a path is matched; raises as `verdict` does."""
        return bool(self.verdict(path))


class _Slow(GitIgnoreSpecPattern):
    """A glob with several stars."""

    def __init__(self, glob: str, allowance: Allowance) -> None:
        super().__init__(glob)
        self._glob, self._allowance = glob, allowance
        self._expression = regex.compile(str(self.regex.pattern)) if self.regex is not None else None

    def match_file(self, file: str) -> RegexMatchResult | None:
        """See `RegexPattern.match_file`."""
        if self._expression is None:
            return None
        found = self._allowance.search(self._expression, file, self._glob)
        return None if found is None else RegexMatchResult(found)


def _pattern(allowance: Allowance, line: str) -> GitIgnoreSpecPattern:
    try:
        return GitIgnoreSpecPattern(line) if line.count("*") <= _PLAIN else _Slow(line, allowance)
    except (ValueError, re.error):
        return GitIgnoreSpecPattern("")
