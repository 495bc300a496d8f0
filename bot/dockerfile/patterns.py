"""The shell patterns of `${X#pattern}`, `${X%pattern}` and `${X/pattern/text}` (`*`, `?`, escapes).

BuildKit: `convertShellPatternToRegex` in frontend/dockerfile/shell/lex.go. Bounds on the value and
on the number of stars keep a pattern from taking long.
"""

from __future__ import annotations

import re
from typing import Final

_MAX_VALUE: Final = 512
_MAX_STARS: Final = 2


def trim(value: str, pattern: str, side: bytes) -> str:
    """Take the shortest match of a pattern from one side; the longest where the mark is doubled.

    Args:
        value: The value of the variable.
        pattern: What follows the first mark.
        side: `#` for the start, `%` for the end.

    Raises:
        ValueError: The value or the pattern is too large to try.
    """
    longest = pattern[:1] == side.decode()
    parts = _parts(value, pattern[1:] if longest else pattern, greedy=longest)
    if side == b"#":
        found = re.match("".join(parts), value)
        return value[found.end() :] if found else value
    found = re.match("".join(reversed(parts)), value[::-1])
    return value[: len(value) - found.end()] if found else value


def replace(value: str, pattern: str, new: str, *, every: bool) -> str:
    """Replace the first match of a pattern, or every one.

    Raises:
        ValueError: The value or the pattern is too large to try.
    """
    expression = "".join(_parts(value, pattern, greedy=True))
    return re.sub(expression, lambda _: new, value, count=0 if every else 1)


def _parts(value: str, pattern: str, *, greedy: bool) -> list[str]:
    if max(len(value), len(pattern)) > _MAX_VALUE or pattern.count("*") > _MAX_STARS:
        raise ValueError("a pattern in its substitution is too large")
    star, parts, escaped = (".*" if greedy else ".*?"), list[str](), False
    for char in pattern:
        if not escaped and char == "\\":
            escaped = True
            continue
        wild = {"*": star, "?": "."}.get(char) if not escaped else None
        parts.append(wild or re.escape(char))
        escaped = False
    return parts
