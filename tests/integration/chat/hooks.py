"""A webhook of the tests, which may be down."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """A webhook that remembers what it was sent, and may be down."""

    got: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    url: str = ""

    @property
    def page(self) -> str:
        """Its address, for who speaks HTTP to it without Apprise."""
        return self.url.replace("json:", "http:")

    def titles(self) -> list[str]:
        return [one["title"] for one in self.got]


@contextmanager
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if not made.down:
                made.got.append(json.loads(body))
            self.send_response(503 if made.down else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"json://127.0.0.1:{server.server_address[1]}/secret-path"
    yield made
    server.shutdown()
    server.server_close()
