"""Split an instruction into flags and words as BuildKit does.

BuildKit: `extractBuilderFlags` in frontend/dockerfile/parser/split_command.go, and `parseWords`
in line_parsers.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final

# Whitespace of Go's unicode.IsSpace over single bytes.
_SPACE = rb"\t\n\v\f\r \x85\xa0"
_FLAG: Final = re.compile(
    rb"[" + _SPACE + rb"]*+(--(?:[^" + _SPACE + rb"'\"\\]|\\.|'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")*+)"
    rb"(?=[" + _SPACE + rb"]|\Z)",
    re.DOTALL,
)
_KEYWORD: Final = re.compile(rb"[\t\n\v\f\r ]*+([^\t\v\f\r ]*+)")
_PLAIN: Final = re.compile(rb"[^\t\v\f\r ]+")


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag `--name=value`; `start` and `end` are the value's offsets in the text."""

    name: str
    start: int
    end: int


def split_keyword(text: bytes, pos: int = 0) -> tuple[bytes, int]:
    """Return the keyword that stands at `pos`, in capitals, and the offset after it."""
    found = _KEYWORD.match(text, pos)
    return (found[1].upper(), found.end()) if found else (b"", pos)


def split_flags(text: bytes, pos: int = 0) -> tuple[list[Flag], int]:
    """Return the flags that stand at `pos`, and the offset after them."""
    flags = []
    while found := _FLAG.match(text, pos):
        pos = found.end()
        if found[1] == b"--":
            break
        name, equals, _ = found[1][2:].partition(b"=")
        start = found.start(1) + 2 + len(name) + len(equals)
        flags.append(Flag(name.decode(errors="replace"), start, found.end(1)))
    return flags, pos


def plain_words(text: bytes, pos: int) -> list[tuple[int, int]]:
    """Split at blanks, whatever the quotes (FROM); at most five words."""
    end = len(text.rstrip())
    return [found.span() for found in islice(_PLAIN.finditer(text, pos, end), 5)]


def quoted_words(text: bytes, pos: int, escape: bytes) -> list[tuple[int, int]]:
    """Split at blanks that no quotes enclose and no escape precedes (ARG)."""
    return [found.span() for found in _quoted(escape).finditer(text, pos)]


@cache
def _quoted(escape: bytes) -> re.Pattern[bytes]:
    esc = re.escape(escape)
    return re.compile(
        rb"(?:[^\t\n\v\f\r '\"" + esc + rb"]|" + esc + rb"(?:.|\Z)"
        rb"|'[^']*+(?:'|\Z)|\"(?:[^\"" + esc + rb"]|" + esc + rb"(?:.|\Z))*+(?:\"|\Z))++",
        re.DOTALL,
    )
