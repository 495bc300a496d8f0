"""Put variables in, as BuildKit does, and keep track of where each byte of the result stands.

BuildKit: frontend/dockerfile/shell/lex.go (`ProcessWord`). A result is a tuple of segments: the
literal text stands in the instruction itself, the value of a variable at its `ARG`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from bot.dockerfile.descent import Descent, from_outside, merged
from bot.dockerfile.text import Text
from bot.dockerfile.values import Dialect, Expanded, UnresolvedError, Value
from bot.model.use import Segment

MAX_TEXT: Final = 4096
_PIECE: Final = re.compile(rb"[^$]++|\$([A-Za-z_][A-Za-z0-9_]*+)|\$\{([A-Za-z_][A-Za-z0-9_]*+)\}")


def expand(text: Text, start: int, end: int, scope: Mapping[str, Value], dialect: Dialect) -> Expanded:
    """Expand one word.

    Args:
        text: What the word is part of.
        start: Offset of the word in `text`.
        end: Offset after it.
        scope: The variables.
        dialect: How variables are written here.

    Raises:
        UnresolvedError: It is malformed, too long, or depends on what is not known.
    """
    if end - start > MAX_TEXT:
        raise UnresolvedError(f"it is longer than {MAX_TEXT} bytes")
    if _literal(dialect).fullmatch(text.value, start, end):
        return Expanded(merged(list(text.segments(start, end))), {}, ())
    if _simple(dialect).fullmatch(text.value, start, end):
        return _put_in(text, start, end, scope, dialect)
    word = Descent(text, start, end, scope, dialect)
    segments = word.until(None, 0)
    return _bounded(segments, word.used, word.unset)


def _bounded(segments: tuple[Segment, ...], used: Mapping[str, Value], unset: Sequence[str]) -> Expanded:
    if sum(len(segment.text) for segment in segments) > MAX_TEXT:
        raise UnresolvedError(f"it is longer than {MAX_TEXT} bytes")
    return Expanded(segments, used, tuple(unset))


def _put_in(text: Text, start: int, end: int, scope: Mapping[str, Value], dialect: Dialect) -> Expanded:
    """Expand a word of literal text, `$NAME` and `${NAME}` alone, which most words with variables are."""
    found, used, unset = list[Segment](), dict[str, Value](), list[str]()
    for piece in _PIECE.finditer(text.value, start, end):
        if piece.lastindex is None:
            found += text.segments(*piece.span())
            continue
        name = piece[piece.lastindex].decode()
        value = scope.get(name)
        if value is None and dialect.strict:
            raise UnresolvedError(from_outside(name))
        if value is None:
            unset.append(name)
        else:
            used[name] = value
            found += value.segments
        found += text.segments(piece.end(), piece.end())
    return _bounded(merged(found), used, unset)


@cache
def _literal(dialect: Dialect) -> re.Pattern[bytes]:
    """Compile the expression of a word with nothing to expand, which most words are."""
    return re.compile(rb"[^$" + re.escape(dialect.escape) + (rb"'\"" if dialect.quotes else b"") + rb"]+")


@cache
def _simple(dialect: Dialect) -> re.Pattern[bytes]:
    """Compile the expression of a word with variables and nothing else to expand."""
    plain = rb"[^$" + re.escape(dialect.escape) + (rb"'\"" if dialect.quotes else b"") + rb"]"
    variable = rb"\$(?:[A-Za-z_][A-Za-z0-9_]*+|\{[A-Za-z_][A-Za-z0-9_]*+\})"
    return re.compile(rb"(?:" + plain + rb"|" + variable + rb")++")
