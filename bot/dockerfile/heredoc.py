"""Heredocs: the bodies after `RUN <<EOF`, whose lines are no instructions.

BuildKit: `heredocsFromLine` and `ParseHeredoc` in frontend/dockerfile/parser/parser.go.
"""

from __future__ import annotations

import json
import re
from typing import Final

from bot.dockerfile.words import split_flags, split_keyword

KEYWORDS: Final = frozenset({b"RUN", b"COPY", b"ADD"})
_BLANK = rb"[\t\n\v\f\r ]"
# A word: quoted parts, escaped bytes, `<<` with the blanks after it, anything else.
_WORD: Final = re.compile(
    rb"(?:'[^']*+'|\"(?:[^\"\\]|\\.)*+\"|\\.|<<" + _BLANK + rb"*+|[^\t\n\v\f\r '\"\\<]|<|\\\Z)++", re.DOTALL
)
_MARK: Final = re.compile(rb"\d*<<(-?)" + _BLANK + rb"*([^<]+)", re.DOTALL)
_UNQUOTE: Final = re.compile(rb"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)", re.DOTALL)


def skip_bodies(data: bytes, pos: int, instruction: bytes) -> int:
    """Return the offset after the heredoc bodies of an instruction that ends at `pos`.

    A body that never ends takes the rest of the file: BuildKit refuses such a file.

    Args:
        data: The whole file.
        pos: Offset of the line after the instruction.
        instruction: The instruction's joined text.
    """
    for name, strip_tabs in _marks(instruction):
        pos = _after_terminator(data, pos, name, strip_tabs=strip_tabs)
    return pos


def _marks(instruction: bytes) -> list[tuple[bytes, bool]]:
    keyword, rest = split_keyword(instruction)
    if keyword == b"ONBUILD":
        keyword, rest = split_keyword(instruction, rest)
    if keyword not in KEYWORDS or _is_json(instruction[rest:]):
        return []
    found = (_MARK.fullmatch(word) for word in _split(instruction) if b"<<" in word)
    named = ((_unquoted(mark[2]), mark[1] == b"-") for mark in found if mark)
    return [(name, strip_tabs) for name, strip_tabs in named if name]


def _is_json(rest: bytes) -> bool:
    arguments = rest[split_flags(rest)[1] :].strip()
    if not (arguments.startswith(b"[") and arguments.endswith(b"]")):
        return False
    try:
        words = json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return isinstance(words, list)


def _split(instruction: bytes) -> list[bytes]:
    """Split into words; an open quote means no words at all, as in BuildKit."""
    words, end = [], 0
    for found in _WORD.finditer(instruction):
        if instruction[end : found.start()].strip():
            return []
        words.append(found[0])
        end = found.end()
    return [] if instruction[end:].strip() else words


def _unquoted(name: bytes) -> bytes:
    return _UNQUOTE.sub(lambda found: found[1] or found[2] or found[3] or b"", name)


def _after_terminator(data: bytes, pos: int, name: bytes, *, strip_tabs: bool) -> int:
    while (found := data.find(name, pos)) >= 0:
        line_start = data.rfind(b"\n", pos, found) + 1 or pos
        line_end = data.find(b"\n", found)
        line_end = len(data) if line_end < 0 else line_end
        line = data[line_start:line_end].rstrip(b"\r")
        if (line.lstrip(b"\t") if strip_tabs else line) == name:
            return min(line_end + 1, len(data))
        pos = line_end + 1
    return len(data)
