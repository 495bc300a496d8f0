"""Ports of loopback that nobody has."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from deploy.lab.errors import LabError

_HOST: Final = "127.0.0.1"


def free_port(wanted: int = 0) -> int:
    """A port that nobody listens on, and that nobody is given by chance for the next minute.

    A connection whose end at this port closed first is kept in TIME-WAIT (RFC 9293, 3.6.1). Until that is
    over, the kernel gives the port to nobody who asks for any; a server that names it still gets it, for
    servers set SO_REUSEADDR.

    Args:
        wanted: Taken if nobody listens there; 0 for any.

    Raises:
        LabError: None is free.
    """
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((_HOST, port)) as server:
            found = server.getsockname()
            with socket.create_connection(found):
                server.accept()[0].close()
            return int(found[1])
    raise LabError(f"No port is free on {_HOST}.")
