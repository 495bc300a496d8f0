"""Room for one piece of work: a folder and a name in the engine, both clean again afterwards.

Names are never used twice, so two state folders on one engine stay out of each other's way. Who
works holds a lock that the kernel gives back when the process dies, however it died.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from bot.cycle.parts import Parts
from bot.errors import EngineError

_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Room for one piece of work.

    Attributes:
        name: Everything made in the engine is named after it.
        folder: For files.
    """

    name: str
    folder: Path


def inside(root: Path, path: str) -> Path:
    """A path of a checkout that was written below `root`.

    The engine follows links: one that leads out would make files of this machine a part of the build.

    Raises:
        EngineError: It leads out.
    """
    found = root / path
    if not found.resolve().is_relative_to(root.resolve()):
        raise EngineError(
            f"{path} leads out of the project", hint="Name a folder of the project, without links out of it."
        )
    return found


@contextmanager
def workspace(parts: Parts, purpose: str) -> Iterator[Workspace]:
    """Make room for one piece of work; at the end its folder and all it made in the engine are gone.

    Args:
        parts: The collaborators.
        purpose: Lower-case letters, digits and dashes: what a person sees in the engine meanwhile.
    """
    name = f"refit-{purpose}-{uuid.uuid4().hex[:12]}"
    parts.work.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock_file(parts, name)):
        try:
            (parts.work / name).mkdir(mode=0o700)
            yield Workspace(name, parts.work / name)
        finally:
            _clear(parts, name)


def sweep(parts: Parts) -> None:
    """Clear what work that died left behind; work that goes on is left alone.

    What cannot be cleared costs disk, not the run: the next sweep tries again.
    """
    for file in sorted(parts.work.glob(f"refit-*{_LOCK}")):
        with suppress(Timeout, EngineError, OSError), FileLock(file, timeout=0):
            _clear(parts, file.name.removesuffix(_LOCK))


def _lock_file(parts: Parts, name: str) -> Path:
    return parts.work / f"{name}{_LOCK}"


def _clear(parts: Parts, name: str) -> None:
    """The lock goes last: what it stands for must be gone first."""
    shutil.rmtree(parts.work / name, ignore_errors=True)
    if parts.builder is not None:
        parts.builder.remove(name)
    _lock_file(parts, name).unlink(missing_ok=True)
