"""A recursive descent over one word: quotes, escapes, and every form of `${…}`.

BuildKit: frontend/dockerfile/shell/lex.go (`shellWord`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from bot.dockerfile import patterns
from bot.dockerfile.text import Text
from bot.dockerfile.values import Dialect, UnresolvedError, Value
from bot.model.use import Segment

MAX_SEGMENTS: Final = 64
_MAX_DEPTH: Final = 20
_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")


class Descent:
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
        """Everything up to `stop`, or to the end of the word without one."""
        if depth > _MAX_DEPTH:
            raise UnresolvedError(f"its variables are nested more than {_MAX_DEPTH} deep")
        found: list[Segment] = []
        while self.pos < self.end:
            if stop and self._peek() == stop:
                self.pos += 1
                return merged(found)
            found.extend(self._part(self._peek(), depth))
            if len(found) > 4 * MAX_SEGMENTS:
                found = list(merged(found))
        if stop:
            raise UnresolvedError(f"a {stop.decode()} is missing")
        return merged(found)

    def _part(self, first: bytes, depth: int) -> tuple[Segment, ...]:
        if first == b"$":
            return self._variable(depth)
        if self.dialect.quotes and first == b"'":
            return self._single()
        if self.dialect.quotes and first == b'"':
            return self._double(depth)
        if self.dialect.escape and first == self.dialect.escape:
            self.pos += 1
            return self._take(1)
        run = self.plain.match(self.text.value, self.pos, self.end)
        return self._take(run.end() - self.pos if run else 1)

    def _single(self) -> tuple[Segment, ...]:
        close = self.text.value.find(b"'", self.pos + 1, self.end)
        if close < 0:
            raise UnresolvedError("a ' is missing")
        self.pos += 1
        inside = self._take(close - self.pos)
        self.pos += 1
        return inside

    def _double(self, depth: int) -> tuple[Segment, ...]:
        self.pos += 1
        found: list[Segment] = []
        while self.pos < self.end and self._peek() != b'"':
            found.extend(self._inside_double(depth))
        if self.pos >= self.end:
            raise UnresolvedError('a " is missing')
        self.pos += 1
        return merged(found)

    def _inside_double(self, depth: int) -> tuple[Segment, ...]:
        first = self._peek()
        if first == b"$":
            return self._variable(depth)
        if first == self.dialect.escape:
            following = self.text.value[self.pos + 1 : min(self.pos + 2, self.end)]
            if following in {b'"', b"$", self.dialect.escape}:
                self.pos += 1
            return self._take(1)
        run = self.quoted.match(self.text.value, self.pos, self.end)
        return self._take(run.end() - self.pos if run else 1)

    def _variable(self, depth: int) -> tuple[Segment, ...]:
        """A variable's value, and after it the (empty) place where the instruction goes on."""
        value = self._dollar(depth)
        return value if depth else (*value, *self.text.segments(self.pos, self.pos))

    def _dollar(self, depth: int) -> tuple[Segment, ...]:
        self.pos += 1
        if self._peek() == b"{":
            self.pos += 1
            return self._braces(depth)
        if not self.dialect.escape and self._peek() == b"$":
            return self._take(1)
        name = self._name()
        return self._value(name) if name else self._back(1)

    def _braces(self, depth: int) -> tuple[Segment, ...]:
        name = self._name()
        if not name:
            raise UnresolvedError("it holds a bad substitution ${…}")
        mark = self._next()
        if mark == b"}":
            return self._value(name)
        if mark == b"/":
            return self._replaced(name, depth)
        colon = mark == b":"
        mark = self._next() if colon else mark
        modifier = _MODIFIERS.get(mark, Descent.prefix)
        self._refuse(name, colon=mark not in _MODIFIERS)
        return modifier(self, name, self.until(b"}", depth + 1), colon=colon)

    def _replaced(self, name: str, depth: int) -> tuple[Segment, ...]:
        every = self._peek() == b"/"
        self.pos += every
        pattern, new = self.until(b"/", depth + 1), self.until(b"}", depth + 1)
        return _made(lambda: patterns.replace(self._known(name), _text(pattern), _text(new), every=every))

    def default(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        """`${name-word}`: the word where the name is not set."""
        return self._value(name) if self._is_set(name, colon=colon) else word

    def alternative(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        """`${name+word}`: the word where the name is set."""
        if self._is_set(name, colon=colon):
            self._note(name)
            return word
        return ()

    def required(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        """`${name?word}`: an error with the word where the name is not set."""
        if not self._is_set(name, colon=colon):
            raise UnresolvedError(f"{name} must be set" + (f": {_text(word)}" if word else ""))
        return self._value(name)

    def prefix(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        """`${name#word}`: without what matches at the front; and any modifier that is not known."""
        self._refuse(name, colon=colon)
        return _made(lambda: patterns.trim(self._known(name), _text(word), b"#"))

    def suffix(self, name: str, word: tuple[Segment, ...], *, colon: bool) -> tuple[Segment, ...]:
        """`${name%word}`: without what matches at the end."""
        self._refuse(name, colon=colon)
        return _made(lambda: patterns.trim(self._known(name), _text(word), b"%"))

    def _refuse(self, name: str, *, colon: bool) -> None:
        if colon:
            raise UnresolvedError(f"it holds ${{{name}…}} with a modifier that is not known")

    def _is_set(self, name: str, *, colon: bool) -> bool:
        value = self.scope.get(name)
        return value is not None and not (colon and not value.text)

    def _known(self, name: str) -> str:
        return _text(self._value(name))

    def _value(self, name: str) -> tuple[Segment, ...]:
        value = self.scope.get(name)
        if value is not None:
            self._note(name)
            return value.segments
        if self.dialect.strict:
            raise UnresolvedError(from_outside(name))
        self.unset.append(name)
        return ()

    def _note(self, name: str) -> None:
        self.used[name] = self.scope[name]

    def _name(self) -> str:
        found = _NAME.match(self.text.value, self.pos, self.end)
        self.pos = found.end() if found else self.pos
        return found[0].decode() if found else ""

    def _peek(self) -> bytes:
        return self.text.value[self.pos : min(self.pos + 1, self.end)]

    def _next(self) -> bytes:
        self.pos += 1
        return self.text.value[self.pos - 1 : min(self.pos, self.end)]

    def _back(self, count: int) -> tuple[Segment, ...]:
        return self.text.segments(self.pos - count, self.pos)

    def _take(self, count: int) -> tuple[Segment, ...]:
        count = min(count, self.end - self.pos)
        self.pos += count
        return self._back(count) if count else ()


_Modifier = Callable[..., tuple[Segment, ...]]
_MODIFIERS: Final[Mapping[bytes, _Modifier]] = {
    b"-": Descent.default,
    b"+": Descent.alternative,
    b"?": Descent.required,
    b"#": Descent.prefix,
    b"%": Descent.suffix,
}


@cache
def _runs(dialect: Dialect) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    special = re.escape(dialect.escape) + rb"$}/" + (rb"'\"" if dialect.quotes else b"")
    quoted = re.escape(dialect.escape) + rb'$"'
    return re.compile(rb"[^" + special + rb"]+"), re.compile(rb"[^" + quoted + rb"]+")


def from_outside(name: str) -> str:
    """Why a word with this variable is not known, in a file whose variables come from outside."""
    return f"the variable {name} comes from the environment and has no default here"


def _text(segments: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in segments)


def _made(change: Callable[[], str]) -> tuple[Segment, ...]:
    """Text made from a variable's value: it stands nowhere in the file."""
    try:
        return (Segment(change(), -1, -1, 0),)
    except ValueError as error:
        raise UnresolvedError(str(error)) from error


def merged(segments: list[Segment]) -> tuple[Segment, ...]:
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
