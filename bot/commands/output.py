"""How commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import Any, Final

from bot.errors import OutputError

_WIDEST: Final = 160
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def write(text: str, *, end: str = "\n", flush: bool = True) -> None:
    """Write a result to standard output; a reader that has seen enough (`| head`) is no error.

    Raises:
        OutputError: It cannot be written, for example to a full disk.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed", hint="Send it to a file, or to /dev/null.")
    try:
        sys.stdout.write(text if text.endswith(end) else text + end)
        if flush:
            sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer goes nowhere, at the end of the process too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"the result cannot be written: {error.strerror}") from error


def write_json(document: dict[str, Any]) -> None:
    """Write a result as the one JSON document on standard output."""
    write(_json(document))


def write_json_list(name: str, items: Iterable[dict[str, Any]]) -> None:
    """Write the document `{name: [items]}` as `write_json` does, an item as soon as it is there."""
    opened = False
    for item in items:
        lines = _json(item).replace("\n", "\n    ")
        write(("," if opened else f'{{\n  "{name}": [') + f"\n    {lines}", end="", flush=False)
        opened = True
    write("\n  ]\n}" if opened else _json({name: []}))


def _json(value: dict[str, Any]) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # A file name that is no UTF-8 reads as lone surrogates, which only an escape can carry.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def width() -> int:
    """Columns to use: the terminal's, within reason; 100 where there is none."""
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDEST) if _watched() else 100


def colored() -> bool:
    """True where a person watches standard output, and did not ask for plain text (NO_COLOR, TERM=dumb)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return _watched() and not plain


def _watched() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
