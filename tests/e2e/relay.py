"""A way from containers to this machine's loopback: a relay on the address of their bridge."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PIECE: Final = 2**16
_LOOK_SECONDS: Final = 0.2


@contextmanager
def relayed(host: str, port: int) -> Iterator[int]:
    """Listen on a free port of `host`, an address of this machine, and pass all on to 127.0.0.1:`port`."""
    ended = threading.Event()
    with socket.create_server((host, 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, port, ended))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def _accept(server: socket.socket, port: int, ended: threading.Event) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(server, selectors.EVENT_READ)
        while not ended.is_set():
            if ready.select(_LOOK_SECONDS):
                caller = server.accept()[0]
                threading.Thread(target=_join, args=(caller, port), daemon=True).start()


def _join(caller: socket.socket, port: int) -> None:
    with caller, socket.create_connection(("127.0.0.1", port)) as callee:
        back = threading.Thread(target=_pump, args=(callee, caller), daemon=True)
        back.start()
        _pump(caller, callee)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
