"""Signals are heard at once, whichever thread the kernel gives them to.

Python runs the handlers in the main thread, and does not wake it for them: where the main thread waits for a
lock and the kernel gives a signal to another thread, nothing happens until that wait ends. That of a bot
never does. https://docs.python.org/3/library/signal.html#signals-and-threads
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# Nothing sends it to us, and to whom it means nothing it does nothing.
_NUDGE: Final = signal.SIGURG


@contextmanager
def heard() -> Iterator[None]:
    """Wake the main thread, which must be the caller, for every signal that has a handler."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)  # noqa: FBT003 - socket's own signature
    thread = threading.Thread(target=_nudge, args=(ours,), name="refit-signals", daemon=True)
    handler = signal.signal(_NUDGE, _do_nothing)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        thread.join()
        ours.close()
        signal.signal(_NUDGE, handler)


def _nudge(signals: socket.socket) -> None:
    """Interrupt what the main thread waits in, for each signal that came; each is a byte, its number."""
    main = threading.main_thread().ident
    while came := signals.recv(1):
        if main is not None and came[0] != _NUDGE:
            signal.pthread_kill(main, _NUDGE)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    del number, frame
