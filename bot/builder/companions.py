"""Containers that run beside the one that is looked at, and share one network with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from docker.models.containers import Container

from bot.errors import EngineError

_SAID: Final = 400


def room_of(companions: Sequence[Container]) -> str:
    """The network mode that shares the first one's network; nobody's where there is none."""
    return f"container:{companions[0].id}" if companions else "none"


def must_run(companions: Sequence[Container]) -> None:
    """Tell of a companion that has ended: nothing can be started in its network, and the engine says no more.

    Raises:
        EngineError: One has; with its exit code and what it said last.
    """
    for one in companions:
        one.reload()
        state = one.attrs.get("State") or {}
        if not state.get("Running"):
            image, code = one.attrs["Config"]["Image"], state.get("ExitCode")
            said = one.logs(tail=1).decode(errors="replace").strip()[-_SAID:]
            raise EngineError(
                f"{image} of health.with ended with exit code {code}: {said}",
                hint="Give it what it needs by health.env, or name another image.",
            )
