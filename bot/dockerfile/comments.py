"""Comments that speak to Refit: `# refit: ignore reason` and `# refit: allow=minor`."""

from __future__ import annotations

import re
from typing import Final

MARK: Final = b"refit:"
_PRAGMA: Final = re.compile(
    rb"#[ \t]*refit:[ \t]*(?:(ignore)(?:[ \t:]+([^\r\n]*))?|allow[ \t]*=[ \t]*([a-z]+))[ \t]*\r*$",
    re.MULTILINE,
)

Pairs = tuple[tuple[str, str], ...]


def pragmas(data: bytes, start: int, end: int) -> Pairs:
    """Return the (`ignore`, reason) and (`allow`, level) pairs of the comments between two offsets."""
    if data.find(MARK, start, end) < 0:
        return ()
    return tuple(_pair(found) for found in _PRAGMA.finditer(data[start:end]))


def _pair(found: re.Match[bytes]) -> tuple[str, str]:
    if found[1]:
        return "ignore", (found[2] or b"").decode(errors="replace").strip()
    return "allow", found[3].decode()
