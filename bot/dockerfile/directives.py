"""The parser directives at the top of a Dockerfile: `# escape=` and `# syntax=`.

BuildKit: frontend/dockerfile/parser/directives.go. Directives come in any order, before any
comment, blank line or instruction; each may be given once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BOM: Final = b"\xef\xbb\xbf"
# The whitespace of Go's unicode.IsSpace.
_WIDE = rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
GAP = rb"[\t\v\f\r ]*+(?:(?:" + _WIDE + rb")[\t\v\f\r ]*+)*+"
_BODY = GAP + rb"([A-Za-z][A-Za-z0-9]*)[\t\f\r ]*+=[\t\f\r ]*+([^\n]*[^\s])[\t\f\r ]*+(?:\n|\Z)"
_HASH: Final = re.compile(rb"#" + _BODY)
_SLASHES: Final = re.compile(rb"//" + _BODY)
_INDENTED_HASH: Final = re.compile(GAP + rb"#" + _BODY)
_FIRST: Final = tuple(bytes((one,)) for one in b"#/\t\v\f\r \xc2\xe1\xe2\xe3")
_KNOWN: Final = frozenset({b"syntax", b"escape", b"check"})


@dataclass(frozen=True, slots=True)
class Directives:
    r"""What the top of the file says about how to read the rest.

    Attributes:
        escape: The escape character: a backslash, or a backtick.
        syntax: Start and end offset of the image named by `# syntax=`, or None.
        body: Offset after a byte order mark.
    """

    escape: bytes
    syntax: tuple[int, int] | None
    body: int

    @classmethod
    def of(cls, data: bytes) -> Directives:
        """Read the directives of a Dockerfile."""
        body = len(BOM) if data.startswith(BOM) else 0
        if not data.startswith(_FIRST, body):
            return cls(b"\\", None, body)
        return cls(_escape(data, body), _syntax(data, body), body)


def _escape(data: bytes, body: int) -> bytes:
    for name, start, end in _read(_INDENTED_HASH, data, body):
        if name == b"escape" and data[start:end] in {b"\\", b"`"}:
            return data[start:end]
    return b"\\"


def _syntax(data: bytes, body: int) -> tuple[int, int] | None:
    if data.startswith(b"#!", body):
        body = data.find(b"\n", body) + 1 or len(data)
    for pattern in (_HASH, _SLASHES):
        for name, start, end in _read(pattern, data, body):
            if name == b"syntax":
                # BuildKit gives what follows a space to the frontend as its command line.
                space = data.find(b" ", start, end)
                return start, end if space < 0 else space
    return None


def _read(pattern: re.Pattern[bytes], data: bytes, pos: int) -> Iterator[tuple[bytes, int, int]]:
    seen: set[bytes] = set()
    while found := pattern.match(data, pos):
        name = found[1].lower()
        if name not in _KNOWN or name in seen:
            return
        seen.add(name)
        yield name, found.start(2), found.end(2)
        pos = found.end()
