"""Where a built image's bytes are, in a few sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from bot.model.evidence import Build, PathSize
from bot.report import wording

_SHOWN: Final = 5
_NOTABLE: Final = 50_000  # bytes; less would be shown as 0.0 MB, and is noise of time stamps and caches

Show = Callable[[str], str]


def sentences(build: Build, show: Show) -> str:
    """Whose bytes they are, what is wasted, what was pulled, and which paths grew; `show` quotes a path."""
    return " ".join((*_shares(build), *_waste(build), *_pull(build), *grown(build, show)))


def grown(build: Build, show: Show) -> Iterator[str]:
    """The paths that made layers grow, the largest gain first; nothing where none did."""
    paths = (path for layer in build.layers for path in layer.grown if path.size >= _NOTABLE)
    if most := sorted(paths, key=lambda one: (-one.size, one.path))[:_SHOWN]:
        yield f"Grew most: {', '.join(_gains(most, show))}."


def _gains(paths: Iterable[PathSize], show: Show) -> Iterator[str]:
    return (f"{show('/' + one.path)} {wording.megabytes_change(one.size)}" for one in paths)


def _shares(build: Build) -> Iterator[str]:
    if not build.base_size:
        return
    base, own = wording.megabytes(build.base_size), wording.megabytes(build.own_size)
    owned = f"; OS packages own {wording.megabytes(build.package_size)} of both" if build.package_size else ""
    yield f"The base's layers hold {base}, the Dockerfile's own {own}{owned}."


def _waste(build: Build) -> Iterator[str]:
    if build.waste is not None and build.waste.wasted >= _NOTABLE:
        wasted = wording.megabytes(build.waste.wasted)
        yield f"Wasted: {wasted} that later layers overwrite or remove."


def _pull(build: Build) -> Iterator[str]:
    if build.pull_bytes:
        took = wording.seconds(build.pull_seconds)
        yield f"Pulled: {wording.megabytes(build.pull_bytes)} in {took}."
