"""Room for one piece of work: a folder and a name in the engine, both clean again afterwards.

Names are never used twice, so two state folders on one engine stay out of each other's way. Who
works holds a lock that the kernel gives back when the process dies, however it died.

An engine that was told to stop in the middle, or whose client died, may still finish what it began: a build
is tagged, a container created, after all of that name was removed. So the name of work that did not come to
its end is kept, and looked for again, until nothing that was begun can still be going on.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from bot.cycle.parts import Parts
from bot.errors import BuildFailed, EngineError

_LOCK: Final = ".lock"
_CUT_OFF: Final = ".cut-off"
# Beyond the time limit of a build: for an engine that is slow to write what it has built.
_SLACK: Final = timedelta(minutes=10)


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

    What work that died left behind is cleared first.

    Args:
        parts: The collaborators.
        purpose: Lower-case letters, digits and dashes: what a person sees in the engine meanwhile.
    """
    parts.work.mkdir(parents=True, exist_ok=True)
    sweep(parts)
    name = f"refit-{purpose}-{uuid.uuid4().hex[:12]}"
    with FileLock(_lock_file(parts, name)):
        try:
            (parts.work / name).mkdir(mode=0o700)
            yield Workspace(name, parts.work / name)
        except BaseException as error:
            if not (isinstance(error, BuildFailed) and not error.limit):  # a step that failed ended by itself
                cut_off(parts, name)
            raise
        finally:
            _clear(parts, name)
            _lock_file(parts, name).unlink(missing_ok=True)


def cut_off(parts: Parts, name: str) -> None:
    """Have sweeps look for what the engine may still make under a name, until that cannot be any more."""
    if parts.builder is not None:
        file, now = parts.work / f"{name}{_CUT_OFF}", parts.clock.now().timestamp()
        file.touch()
        os.utime(file, (now, now))


def sweep(parts: Parts) -> None:
    """Clear what work that died or was cut off left behind; work that goes on is left alone.

    What cannot be cleared costs disk, not the run: the next sweep tries again.
    """
    for file in sorted(parts.work.glob(f"refit-*{_CUT_OFF}")):
        with suppress(EngineError, OSError):
            _look_again(parts, file)
    for file in sorted(parts.work.glob(f"refit-*{_LOCK}")):
        with suppress(Timeout, EngineError, OSError), FileLock(file, timeout=0):
            _bury(parts, file)


def _look_again(parts: Parts, record: Path) -> None:
    """Remove what came late; the record goes when the engine has answered after the last moment for that."""
    name = record.name.removesuffix(_CUT_OFF)
    if parts.builder is None or _lock_file(parts, name).exists():
        return
    age = parts.clock.now().timestamp() - record.stat().st_mtime
    parts.builder.remove(name)
    if age > (timedelta(seconds=parts.policy.build_seconds) + _SLACK).total_seconds():
        record.unlink(missing_ok=True)


def _bury(parts: Parts, lock: Path) -> None:
    """Clear what a dead process left; where no engine is at hand, the lock stays for when there is one."""
    name = lock.name.removesuffix(_LOCK)
    _clear(parts, name)
    if parts.builder is not None:
        cut_off(parts, name)
        lock.unlink(missing_ok=True)


def _lock_file(parts: Parts, name: str) -> Path:
    return parts.work / f"{name}{_LOCK}"


def _clear(parts: Parts, name: str) -> None:
    shutil.rmtree(parts.work / name, ignore_errors=True)
    if parts.builder is not None:
        parts.builder.remove(name)
