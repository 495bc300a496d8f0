"""What an operator should know of the builds of a run: each thing in one sentence, once for all builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.model.evidence import Build


def notes(builds: Iterable[Build | None]) -> tuple[str, ...]:
    """A network that was not closed, with the first one's reason; caches that could not be had, by name."""
    every = [build for build in builds if build is not None]
    return (*_open_networks(every), *_lost_caches(every))


def _open_networks(builds: Iterable[Build]) -> Iterator[str]:
    networks = (build.network for build in builds)
    why = next((one.reason for one in networks if one is not None and not one.closed), "")
    if why:
        yield f"builds could reach private addresses ({why}); `refit doctor` says what to do"


def _lost_caches(builds: Iterable[Build]) -> Iterator[str]:
    lost = {cache: why for build in builds for cache, why in build.lost_caches}
    if lost:
        named = ", ".join(f"{cache} ({why})" for cache, why in lost.items())
        yield f"built without the layer cache of `cache_from`: {named}"
