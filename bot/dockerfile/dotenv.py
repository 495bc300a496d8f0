"""The `.env` beside a compose file, from which compose puts in variables.

Docker: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "Env file syntax".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

NAME: Final = ".env"
_SET: Final = re.compile(r"\s*+(?:export\s++)?([A-Za-z_][A-Za-z0-9_.]*+)\s*+[=:]\s*+(.*+)")
_COMMENT: Final = re.compile(r"(?:^|\s)#")


def read_dotenv(data: bytes) -> Mapping[str, str]:
    """Return the variables that a `.env` sets; of two with one name the last counts.

    A value with variables or escapes of its own stays as written: it names no image then.
    """
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    return {found[1]: _value(found[2]) for line in lines if (found := _SET.match(line))}


def _value(text: str) -> str:
    quote = text[:1]
    if quote in {"'", '"'}:
        inside, closed, _ = text[1:].partition(quote)
        return inside if closed else text
    return _COMMENT.split(text, 1)[0].rstrip()
