r"""The instructions of a Dockerfile, with continued lines joined and heredoc bodies passed over.

BuildKit: `Parse` in frontend/dockerfile/parser/parser.go. One regular expression takes one
instruction with all its lines; every part of it is possessive, so time is linear on any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bot.dockerfile import heredoc
from bot.dockerfile.comments import Pairs, pragmas
from bot.dockerfile.directives import GAP, Directives
from bot.dockerfile.text import Text
from bot.dockerfile.words import split_keyword


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: In capitals: `FROM`.
        text: From the keyword on, with continued lines joined.
        arguments: Offset in `text` at which what follows the keyword begins.
        escape: The file's escape character.
        line: 1-based line of the keyword.
        start: Offset of the keyword.
        end: Offset after the last line, heredoc bodies included.
        body: Offset at which the heredoc bodies begin; `end` where there are none.
        pragmas: What comments above it or inside it say to Refit.
    """

    keyword: str
    text: Text
    arguments: int
    escape: bytes
    line: int
    start: int
    end: int
    body: int
    pragmas: Pairs = ()


def instructions(data: bytes, directives: Directives | None = None) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, in order, with their lines.

    Args:
        data: The file's bytes.
        directives: Its directives, if they are known already.
    """
    known = directives or Directives.of(data)
    pos, line, counted = known.body, 1, 0
    while found := logical(known.escape).match(data, pos):
        start = found.start("text")
        line += data.count(b"\n", counted, start)
        counted = start
        one = instruction_of(data, found, known.escape, line)
        if one.keyword:
            yield one
        pos = one.end


def instruction_of(data: bytes, found: re.Match[bytes], escape: bytes, line: int) -> Instruction:
    """Return the instruction that `logical` found; its keyword is empty where there is none."""
    text = _joined(data, found, escape, line)
    body = found.end()
    end = heredoc.skip_bodies(data, body, text.value) if b"<<" in text.value else body
    keyword, arguments = split_keyword(text.value)
    name = keyword.decode(errors="replace")
    pairs = pragmas(data, found.start(), body)
    return Instruction(name, text, arguments, escape, line, found.start("text"), end, body, pairs)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Expressions of the parts of an instruction, for a file's escape character.

    Attributes:
        skip: A comment or a blank line.
        goes_on: A line that the escape character ends; blanks may follow it, and doubled it ends none.
    """

    skip: bytes
    goes_on: bytes

    @classmethod
    def of(cls, escape: bytes, content: bytes = rb"[^\n]*") -> Grammar:
        """The expressions, for lines with some content only."""
        esc = re.escape(escape)
        skip = rb"(?>" + GAP + rb"#[^\n]*+(?:\n|\Z))|(?>" + GAP + rb"\n)"
        goes_on = content + esc + rb"(?<!" + esc + esc + rb")[ \t]*+\r*+(?:\n|\Z)"
        return cls(skip, goes_on)

    @property
    def more(self) -> bytes:
        """The lines before the last one."""
        goes_on = self.goes_on
        return rb"(?>" + goes_on + rb")(?:" + self.skip + rb"|(?>(?=[^\n])" + goes_on + rb"))*+"


@cache
def logical(escape: bytes) -> re.Pattern[bytes]:
    """Compile the expression of one instruction with all its lines, and the comments above it."""
    grammar = Grammar.of(escape)
    text = rb"(?P<text>(?=[^\n])(?P<more>" + grammar.more + rb")?+[^\n]*+)(?:\n|\Z)"
    return re.compile(rb"(?:" + grammar.skip + rb")*+" + GAP + text)


@cache
def _pieces(escape: bytes) -> re.Pattern[bytes]:
    """Compile the expression of one line of a continued instruction."""
    esc = re.escape(escape)
    return re.compile(
        rb"(?P<skip>" + GAP + rb"(?:#[^\n]*+)?+(?:\n|\Z))"
        rb"|(?P<more>[^\n]*)" + esc + rb"(?<!" + esc + esc + rb")[ \t]*+\r*+(?:\n|\Z)"
        rb"|(?P<last>[^\n]*+)(?:\n|\Z)"
    )


def _joined(data: bytes, found: re.Match[bytes], escape: bytes, line: int) -> Text:
    if found["more"] is None:
        start, end = found.span("text")
        return Text.whole(data[start:end].rstrip(b"\r"), start, line)
    return _join(data, found.start("text"), found.end("text"), escape, line)


def _join(data: bytes, start: int, end: int, escape: bytes, line: int) -> Text:
    starts, offsets, lines, parts, size = [], [], [], [], 0
    for piece in _pieces(escape).finditer(data, start, end):
        kind = piece.lastgroup
        if kind in {"more", "last"} and piece[0]:
            content = piece[str(kind)] if kind == "more" else piece["last"].rstrip(b"\r")
            if content:
                starts.append(size)
                offsets.append(piece.start())
                lines.append(line)
                parts.append(content)
                size += len(content)
        line += piece[0].count(b"\n")
    return Text(b"".join(parts), tuple(starts), tuple(offsets), tuple(lines))
