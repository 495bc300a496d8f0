"""How a process is named to others: by whoever holds a lease, and to whoever wants it."""

from __future__ import annotations

import os
import socket


def this_process() -> str:
    """`HOST process PID`."""
    return f"{socket.gethostname()} process {os.getpid()}"
