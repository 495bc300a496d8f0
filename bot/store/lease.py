"""The lease of a state folder: one process drives its cycle at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import LeaseHeld
from bot.store.folder import private, unusable
from bot.store.holder import this_process


@contextmanager
def lease(folder: Path) -> Iterator[None]:
    """Hold the lease of a state folder; the kernel gives it back when the process dies, however.

    Raises:
        LeaseHeld: Another process holds it; the message names it.
        StoreError: The folder cannot be made or written.
    """
    holder = private(folder) / "lease.pid"
    lock = FileLock(folder / "lease.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        who = _holder(holder)
        told = f"another Refit ({who or 'process unknown'}) drives the cycle in {folder}"
        raise LeaseHeld(told, who=who) from error
    except OSError as error:
        raise unusable(folder, error) from error
    try:
        with suppress(OSError):  # it is for a message; the lock is what counts
            holder.write_text(this_process(), encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
