"""Put variables in, as BuildKit does, and keep track of where each byte of the result stands.

BuildKit: frontend/dockerfile/shell/lex.go (`ProcessWord`). A result is a tuple of segments: the
literal text stands in the instruction itself, the value of a variable at its `ARG`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from bot.dockerfile import patterns
from bot.dockerfile.text import Text
from bot.dockerfile.values import Dialect, Expanded, UnresolvedError, Value
from bot.model.use import Segment

MAX_TEXT: Final = 4096
MAX_SEGMENTS: Final = 64
_MAX_DEPTH: Final = 20
_PIECE: Final = re.compile(rb"[^$]++|\$([A-Za-z_][A-Za-z0-9_]*+)|\$\{([A-Za-z_][A-Za-z0-9_]*+)\}")
_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")


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
        return Expanded(_merged(list(text.segments(start, end))), {}, ())
    if _simple(dialect).fullmatch(text.value, start, end):
        return _put_in(text, start, end, scope, dialect)
    word = _Word(text, start, end, scope, dialect)
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
            raise UnresolvedError(_from_outside(name))
        if value is None:
            unset.append(name)
        else:
            used[name] = value
            found += value.segments
        found += text.segments(piece.end(), piece.end())
    return _bounded(_merged(found), used, unset)


class _Word:
    """A recursive descent over one word; every method starts at `pos` and moves it."""

    def __init__(
        self, text: Text, start: int, end: int, scope: Mapping[str, Value], dialect: Dialect
    ) -> None:
        self.text, self.pos, self.end = text, start, end
        self.scope, self.dialect = scope, dialect
        self.used: dict[str, Value] = {}
        self.unset: list[str] = []
        self.plain, self.quoted = _runs(dialect)

    def until(self, stop: bytes | None, depth: int) -> tuple[Segment, ...]:
        if depth > _MAX_DEPTH:
            raise UnresolvedError(f"its variables are nested more than {_MAX_DEPTH} deep")
        found: list[Segment] = []
        while self.pos < self.end:
            if stop and self.peek() == stop:
                self.pos += 1
                return _merged(found)
            found.extend(self.part(self.peek(), depth))
            if len(found) > 4 * MAX_SEGMENTS:
                found = list(_merged(found))
        if stop:
            raise UnresolvedError(f"a {stop.decode()} is missing")
        return _merged(found)

    def part(self, first: bytes, depth: int) -> tuple[Segment, ...]:
        if first == b"$":
            return self.variable(depth)
        if self.dialect.quotes and first == b"'":
            return self.single()
        if self.dialect.quotes and first == b'"':
            return self.double(depth)
        if self.dialect.escape and first == self.dialect.escape:
            self.pos += 1
            return self.take(1)
        run = self.plain.match(self.text.value, self.pos, self.end)
        return self.take(run.end() - self.pos if run else 1)

    def single(self) -> tuple[Segment, ...]:
        close = self.text.value.find(b"'", self.pos + 1, self.end)
        if close < 0:
            raise UnresolvedError("a ' is missing")
        self.pos += 1
        inside = self.take(close - self.pos)
        self.pos += 1
        return inside

    def double(self, depth: int) -> tuple[Segment, ...]:
        self.pos += 1
        found: list[Segment] = []
        while self.pos < self.end and self.peek() != b'"':
            found.extend(self.inside_double(depth))
        if self.pos >= self.end:
            raise UnresolvedError('a " is missing')
        self.pos += 1
        return _merged(found)

    def inside_double(self, depth: int) -> tuple[Segment, ...]:
        first = self.peek()
        if first == b"$":
            return self.variable(depth)
        if first == self.dialect.escape:
            following = self.text.value[self.pos + 1 : min(self.pos + 2, self.end)]
            if following in {b'"', b"$", self.dialect.escape}:
                self.pos += 1
            return self.take(1)
        run = self.quoted.match(self.text.value, self.pos, self.end)
        return self.take(run.end() - self.pos if run else 1)

    def variable(self, depth: int) -> tuple[Segment, ...]:
        """A variable's value, and after it the (empty) place where the instruction goes on."""
        value = self.dollar(depth)
        return value if depth else (*value, *self.text.segments(self.pos, self.pos))

    def dollar(self, depth: int) -> tuple[Segment, ...]:
        self.pos += 1
        if self.peek() == b"{":
            self.pos += 1
            return self.braces(depth)
        if not self.dialect.escape and self.peek() == b"$":
            return self.take(1)
        name = self.name()
        return self.value(name) if name else self.back(1)

    def braces(self, depth: int) -> tuple[Segment, ...]:
        name = self.name()
        if not name:
            raise UnresolvedError("it holds a bad substitution ${…}")
        mark = self.next()
        if mark == b"}":
            return self.value(name)
        if mark == b"/":
            return self.replaced(name, depth)
        colon = mark == b":"
        mark = self.next() if colon else mark
        modifier = _MODIFIERS.get(mark, _Word.prefix)
        self.refuse(name, colon=mark not in _MODIFIERS)
        return modifier(self, name, self.until(b"}", depth + 1), colon=colon)

    def replaced(self, name: str, depth: int) -> tuple[Segment, ...]:
        every = self.peek() == b"/"
        self.pos += every
        pattern, new = self.until(b"/", depth + 1), self.until(b"}", depth + 1)
        return _made(lambda: patterns.replace(self.known(name), _text(pattern), _text(new), every=every))

    def default(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        return self.value(name) if self.is_set(name, colon=colon) else word

    def alternative(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        if self.is_set(name, colon=colon):
            self.note(name)
            return word
        return ()

    def required(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        if not self.is_set(name, colon=colon):
            raise UnresolvedError(f"{name} must be set" + (f": {_text(word)}" if word else ""))
        return self.value(name)

    def prefix(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        self.refuse(name, colon=colon)
        return _made(lambda: patterns.trim(self.known(name), _text(word), b"#"))

    def suffix(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        self.refuse(name, colon=colon)
        return _made(lambda: patterns.trim(self.known(name), _text(word), b"%"))

    def refuse(self, name: str, *, colon: bool) -> None:
        if colon:
            raise UnresolvedError(f"it holds ${{{name}…}} with a modifier that is not known")

    def is_set(self, name: str, *, colon: bool) -> bool:
        value = self.scope.get(name)
        return value is not None and not (colon and not value.text)

    def known(self, name: str) -> str:
        return _text(self.value(name))

    def value(self, name: str) -> tuple[Segment, ...]:
        value = self.scope.get(name)
        if value is not None:
            self.note(name)
            return value.segments
        if self.dialect.strict:
            raise UnresolvedError(_from_outside(name))
        self.unset.append(name)
        return ()

    def note(self, name: str) -> None:
        self.used[name] = self.scope[name]

    def name(self) -> str:
        found = _NAME.match(self.text.value, self.pos, self.end)
        self.pos = found.end() if found else self.pos
        return found[0].decode() if found else ""

    def peek(self) -> bytes:
        return self.text.value[self.pos : min(self.pos + 1, self.end)]

    def next(self) -> bytes:
        self.pos += 1
        return self.text.value[self.pos - 1 : min(self.pos, self.end)]

    def back(self, count: int) -> tuple[Segment, ...]:
        return self.text.segments(self.pos - count, self.pos)

    def take(self, count: int) -> tuple[Segment, ...]:
        count = min(count, self.end - self.pos)
        self.pos += count
        return self.back(count) if count else ()


_Modifier = Callable[..., tuple[Segment, ...]]
_MODIFIERS: Final[Mapping[bytes, _Modifier]] = {
    b"-": _Word.default,
    b"+": _Word.alternative,
    b"?": _Word.required,
    b"#": _Word.prefix,
    b"%": _Word.suffix,
}


@cache
def _runs(dialect: Dialect) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    special = re.escape(dialect.escape) + rb"$}/" + (rb"'\"" if dialect.quotes else b"")
    quoted = re.escape(dialect.escape) + rb'$"'
    return re.compile(rb"[^" + special + rb"]+"), re.compile(rb"[^" + quoted + rb"]+")


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


def _from_outside(name: str) -> str:
    return f"the variable {name} comes from the environment and has no default here"


def _text(segments: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in segments)


def _made(change: Callable[[], str]) -> tuple[Segment, ...]:
    """Text made from a variable's value: it stands nowhere in the file."""
    try:
        return (Segment(change(), -1, -1, 0),)
    except ValueError as error:
        raise UnresolvedError(str(error)) from error


def _merged(segments: list[Segment]) -> tuple[Segment, ...]:
    """Join what stands side by side in the file; drop what is empty and nowhere."""
    found: list[Segment] = []
    for segment in segments:
        last = found[-1] if found else None
        if last and last.editable and last.end == segment.start:
            found[-1] = Segment(last.text + segment.text, last.start, segment.end, last.line)
        elif segment.text or segment.editable:
            found.append(segment)
    if len(found) > MAX_SEGMENTS:
        raise UnresolvedError(f"it is put together from more than {MAX_SEGMENTS} pieces")
    return tuple(found)
