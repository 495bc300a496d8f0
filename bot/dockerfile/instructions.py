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
from bot.dockerfile.directives import Directives
from bot.dockerfile.text import Text
from bot.dockerfile.words import split_keyword

_WIDE = rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
_GAP = rb"[\t\v\f\r ]*+(?:(?:" + _WIDE + rb")[\t\v\f\r ]*+)*+"


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


def instructions(
    data: bytes, directives: Directives | None = None, *, naming: bool = False
) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, in order, with their lines.

    Args:
        data: The file's bytes.
        directives: Its directives, if they are known already.
        naming: True leaves out most of the instructions that cannot name an image, for speed.
    """
    known = directives or Directives.of(data)
    pattern = _logical(known.escape)
    pos, line, counted = known.body, 1, 0
    marked = b"refit:" in data
    while found := pattern.match(data, pos):
        start, body = found.start("text"), found.end()
        if naming and _names_nothing(data, start, body, known.escape):
            pos = body
            continue
        line += data.count(b"\n", counted, start)
        counted = start
        text = _joined(data, found, known.escape, line)
        end = heredoc.skip_bodies(data, body, text.value) if b"<<" in text.value else body
        pairs = pragmas(data, pos, body) if marked else ()
        keyword, arguments = split_keyword(text.value)
        if not keyword:
            pos = end
            continue
        name = keyword.decode(errors="replace")
        yield Instruction(name, text, arguments, known.escape, line, start, end, body, pairs)
        pos = end


_HEAD = re.compile(
    rb"(?:(RUN|COPY|ADD)|WORKDIR|CMD|ENTRYPOINT|ENV|EXPOSE|LABEL|USER|VOLUME|SHELL)[\t ]", re.IGNORECASE
)


def _names_nothing(data: bytes, start: int, end: int, escape: bytes) -> bool:
    """Tell by a glance that an instruction names no image and has no heredoc."""
    head = _HEAD.match(data, start, end)
    if head is None or head[1] is None:
        return head is not None
    # A flag needs `--`, a heredoc `<<`; either may be broken over two lines by the escape character.
    marks = (b"<", b"--", b"-" + escape)
    return all(data.find(mark, start, end) < 0 for mark in marks)


@cache
def _logical(escape: bytes) -> re.Pattern[bytes]:
    """Compile the expression of one instruction, for a file's escape character."""
    esc = re.escape(escape)
    comment = _GAP + rb"#[^\n]*+(?:\n|\Z)"
    # The escape character ends a continued line unless it is doubled; blanks may follow it.
    goes_on = rb"[^\n]*" + esc + rb"(?<!" + esc + esc + rb")[ \t]*+\r*+(?:\n|\Z)"
    skip = rb"(?>" + comment + rb")|(?>" + _GAP + rb"\n)"
    more = rb"(?P<more>(?>" + goes_on + rb")(?:" + skip + rb"|(?>(?=[^\n])" + goes_on + rb"))*+)?+"
    text = rb"(?P<text>(?=[^\n])" + more + rb"[^\n]*+)(?:\n|\Z)"
    return re.compile(rb"(?:" + skip + rb")*+" + _GAP + text)


@cache
def _pieces(escape: bytes) -> re.Pattern[bytes]:
    """Compile the expression of one line of a continued instruction."""
    esc = re.escape(escape)
    return re.compile(
        rb"(?P<skip>" + _GAP + rb"(?:#[^\n]*+)?+(?:\n|\Z))"
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
