"""How commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import Any, Final

_WIDEST: Final = 160
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def write(text: str) -> None:
    """Write a result to standard output; a reader that has seen enough (`| head`) is no error."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer goes nowhere, at the end of the process too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_json(document: dict[str, Any]) -> None:
    """Write a result as the one JSON document on standard output."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # A file name that is no UTF-8 reads as lone surrogates, which only an escape can carry.
    write(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def width() -> int:
    """Columns to use: the terminal's, within reason; 100 where there is none."""
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDEST) if sys.stdout.isatty() else 100


def colored() -> bool:
    """True where a person watches standard output, and did not ask for plain text (NO_COLOR, TERM=dumb)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
