"""Where builds could reach private addresses, that is said once."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.evidence import Build


def notes(builds: Iterable[Build | None]) -> tuple[str, ...]:
    """One sentence for all builds whose network was not closed, with the first one's reason; else none."""
    networks = (build.network for build in builds if build is not None)
    why = next((one.reason for one in networks if one is not None and not one.closed), "")
    return (f"builds could reach private addresses ({why}); `refit doctor` says what to do",) if why else ()
