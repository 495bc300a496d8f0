"""A hold on a folder keeps others from removing it; it ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import weakref
from pathlib import Path


class Hold:
    """A shared lock of the operating system on a folder, until it is released or this object is no more.

    Args:
        folder: What is held.

    Raises:
        FileNotFoundError: It is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._close = weakref.finalize(self, os.close, self._descriptor)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let others remove it from now on; a second time changes nothing."""
        self._close()

    def is_of(self, folder: Path) -> bool:
        """Whether the folder that stands there is the held one: another may have taken its place."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), folder.stat())
        except FileNotFoundError:
            return False


def remove_unheld(folder: Path) -> None:
    """Remove a folder that nobody holds; who wants to hold it meanwhile waits, and finds it gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
