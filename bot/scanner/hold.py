"""A hold on a folder keeps others from removing it; it ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path


class Hold:
    """A shared lock of the operating system on a folder, for as long as this object lives.

    Args:
        folder: What is held.

    Raises:
        FileNotFoundError: It is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        weakref.finalize(self, os.close, self._descriptor)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_of(self, folder: Path) -> bool:
        """Whether the folder that stands there is the held one: another may have taken its place."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), folder.stat())
        except FileNotFoundError:
            return False


def held(folder: Path) -> bool:
    """Whether somebody holds a folder; one that is gone is held by nobody."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
