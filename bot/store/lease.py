"""The lease of a state folder: one process drives its cycle at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import LeaseHeld
from bot.store.folder import private, unusable


@contextmanager
def lease(folder: Path) -> Iterator[None]:
    """Hold the lease of a state folder; the kernel gives it back when the process dies, however.

    Raises:
        LeaseHeld: Another process holds it; the message names its id.
        StoreError: The folder cannot be made or written.
    """
    holder = private(folder) / "lease.pid"
    lock = FileLock(folder / "lease.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise LeaseHeld(f"another Refit ({_holder(holder)}) drives the cycle in {folder}") from error
    except OSError as error:
        raise unusable(folder, error) from error
    try:
        holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        lock.release()


def _holder(file: Path) -> str:
    try:
        return f"process {int(file.read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "process unknown"
