"""A scripted registry that does what registries do on bad days: HTTP by hand, on a loopback address.

`script` says what is answered: by `METHOD /path` (the query may be left out), a list of replies of which
the last one repeats, or a function of the request. What is not in the script is a 404.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

from tests.integration.registry.images import Content

_TLS_HANDSHAKE = 0x16


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True)
class Reply:
    """An answer and how it is delivered.

    Attributes:
        status: HTTP status.
        headers: Headers; `Content-Length` is added where it is missing.
        body: The body; not sent to a HEAD.
        pause: Seconds before the answer begins.
        until: The answer begins when this is set.
        drip: Seconds between any two bytes of the body, or of `raw`.
        keep: Bytes of the body after which the connection is closed.
        raw: Sent as it is, in place of everything else.
        reset: Hang up without a word.
        repeat: How often the body is repeated, for large ones.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pause: float = 0.0
    until: asyncio.Event | None = None
    drip: float = 0.0
    keep: int | None = None
    raw: bytes | None = None
    reset: bool = False
    repeat: int = 1


Answering = Callable[[Asked], Reply]
Script = Mapping[str, Sequence[Reply] | Answering]
HANG = Reply(pause=3600)


def manifest(content: Content, **headers: str) -> Reply:
    """The usual answer for an index or manifest; a header with an empty value is left out."""
    usual = {"Content-Type": content.media_type, "Docker-Content-Digest": content.digest}
    named = usual | {key.replace("_", "-"): value for key, value in headers.items()}
    return Reply(headers={key: value for key, value in named.items() if value}, body=content.body)


class FaultyRegistry:
    """The server. Use it as an asynchronous context manager, in the loop of the client.

    Attributes:
        asked: Every request, in the order in which they came.
        most: The most requests that were in flight at once.
        connections: How many connections were made; an attempt at TLS counts.
    """

    def __init__(
        self, script: Script | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self.script: dict[str, Sequence[Reply] | Answering] = dict(script or {})
        self.asked: list[Asked] = []
        self.most = self.connections = 0
        self._inside = 0
        self._host, self._tls = host, tls
        self._served: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self._host}:{self._port}"

    @property
    def lines(self) -> list[str]:
        """What was asked, `METHOD /path?query`."""
        return [str(asked) for asked in self.asked]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, self._host, 0, ssl=self._tls)
        self._port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.transport.abort() if task is not None and task.cancelling() else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; False when the connection ends."""
        first = await reader.readexactly(1)
        if first[0] == _TLS_HANDSHAKE:
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = head[0].split(" ")
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            return await _deliver(self._reply(asked), asked, writer)
        finally:
            self._inside -= 1

    def _reply(self, asked: Asked) -> Reply:
        path = f"{asked.method} {asked.target.partition('?')[0]}"
        key = str(asked) if str(asked) in self.script else path
        found = self.script.get(key, self.script.get("*", [Reply(404)]))
        if callable(found):
            return found(asked)
        turn = self._served.get(key, 0)
        self._served[key] = turn + 1
        return found[min(turn, len(found) - 1)]


async def _deliver(reply: Reply, asked: Asked, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(reply.pause)
    if reply.until is not None:
        await reply.until.wait()
    if reply.reset or reply.raw is not None:
        await _write(reply.raw or b"", reply.drip, writer)
        return False
    headers = {"Content-Length": str(len(reply.body) * reply.repeat)} | dict(reply.headers)
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{key}: {value}" for key, value in headers.items() if value]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    if asked.method != "HEAD":
        await _write_body(reply, writer)
    await writer.drain()
    return reply.keep is None


async def _write_body(reply: Reply, writer: asyncio.StreamWriter) -> None:
    body = reply.body if reply.keep is None else reply.body[: reply.keep]
    for _ in range(reply.repeat):
        await _write(body, reply.drip, writer)


async def _write(data: bytes, drip: float, writer: asyncio.StreamWriter) -> None:
    """Write bytes at once, or one after the other with so many seconds between them."""
    if not drip:
        writer.write(data)
        await writer.drain()
        return
    for byte in data:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(drip)
