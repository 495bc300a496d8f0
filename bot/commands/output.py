"""How commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any, Final

_WIDEST: Final = 160


def write(text: str) -> None:
    """Write a result to standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def write_json(document: dict[str, Any]) -> None:
    """Write a result as the one JSON document on standard output."""
    write(json.dumps(document, indent=2, ensure_ascii=False))


def width() -> int:
    """Columns to use: the terminal's, within reason; 100 where there is none."""
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDEST) if colored() else 100


def colored() -> bool:
    """True where a person watches standard output."""
    return sys.stdout.isatty()
