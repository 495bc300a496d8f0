"""What the operator's ignore file or a VEX document hid, in one line: counted, and named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bot.model.exposure import Ignored
from bot.report.quote import visible

_SHOWN: Final = 5
_WIDTH: Final = 80


def hidden(ignored: Sequence[Ignored], shown: Callable[[str], str] = visible) -> str:
    """`2 hidden on request: CVE-2026-1 in openssl, CVE-2026-2 in perl`; empty where nothing is.

    Args:
        ignored: What was hidden.
        shown: Makes text from outside harmless where it is shown.
    """
    if not ignored:
        return ""
    names = [f"{one.id} in {one.package}" if one.package else one.id for one in ignored[:_SHOWN]]
    more = f", and {len(ignored) - _SHOWN} more" if len(ignored) > _SHOWN else ""
    listed = ", ".join(shown(name[:_WIDTH]) for name in names)
    return f"{len(ignored)} hidden on request: {listed}{more}"
