"""One HTTP exchange: bounded in bytes and seconds, its faults told apart."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryError, RegistryUnreachable
from bot.registry.guard import (
    AddressRefused,
    GuardedTransport,
    Zone,
    check_literal,
    connected_to,
    is_loopback,
)

ERROR_LIMIT: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_USER_AGENT: Final = "refit (+https://github.com/refit-bot/refit)"


class NoConnection(RegistryUnreachable):
    """No connection could be made at all: nothing was sent."""


class Interrupted(RegistryUnreachable):
    """The connection broke before the answer was complete; asking again is safe."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Which certificates a host may show."""

    verified: bool = True
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to send.

    Attributes:
        method: HEAD, GET or POST.
        url: Where to.
        headers: Its headers; the credential among them is never shown.
        limit: Most bytes of an answer with status 2xx; of any other answer, 64 KiB are read.
        seconds: Time limit, the body included.
        zones: Where the connection may end.
        tls: Which certificates are accepted.
        form: Fields of a POST.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    limit: int
    seconds: float
    zones: frozenset[Zone]
    tls: Tls
    form: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Host and port, as sentences name it."""
        return self.url.netloc.decode("ascii")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its body is bounded and decoded; `zone` is where it came from."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    url: httpx.URL
    zone: Zone


class Wire:
    """The HTTP clients of one event loop: one for each kind of certificate check and address rule."""

    def __init__(self) -> None:
        self._clients: dict[object, httpx.AsyncClient] = {}
        self._proxies: dict[tuple[str, bytes], str | None] = {}

    async def send(self, request: Outgoing) -> Answer:
        """Send a request and read the whole answer.

        Raises:
            NoConnection: Nobody listens there, or the address is refused.
            Interrupted: The connection broke.
            RegistryUnreachable: It took longer than its time limit.
            RegistryAnswerInvalid: The answer is no HTTP, or larger than its limit.
        """
        try:
            async with asyncio.timeout(request.seconds):
                return await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _late(request, error) from error
        except AddressRefused as error:
            raise NoConnection(
                f"refused to connect: {error}", hint="A registry may not send Refit into its own network."
            ) from error
        except httpx.ConnectError as error:
            raise NoConnection(f"cannot connect to {request.host}: {_reason(error)}") from error
        except httpx.LocalProtocolError as error:
            raise RegistryAnswerInvalid(f"cannot ask {request.host}: {_reason(error)}") from error
        except httpx.RemoteProtocolError as error:
            raise _no_answer(request, error) from error
        except httpx.TransportError as error:
            raise Interrupted(f"{request.host} broke the connection off: {_reason(error)}") from error

    async def _exchange(self, request: Outgoing) -> Answer:
        proxy = self._proxy(request)
        client = self._client(request, proxy)
        built = client.build_request(
            request.method, request.url, headers=dict(request.headers), data=request.form
        )
        response = await client.send(built, stream=True)
        try:
            zone = Zone.PUBLIC if proxy else connected_to(response.extensions.get("network_stream"))
            limit = request.limit if response.is_success else ERROR_LIMIT
            body = await _read(
                response, limit, request
            )  # of a HEAD too: an answer not read ends its connection
            return Answer(response.status_code, response.headers, body, request.url, zone)
        finally:
            await response.aclose()

    def _proxy(self, request: Outgoing) -> str | None:
        """The proxy for a request; behind one, only an address in numbers can be checked.

        Raises:
            AddressRefused: The request may not go to that address.
        """
        key = (request.url.scheme, request.url.netloc)
        if key not in self._proxies:
            self._proxies[key] = proxy_for(request.url)
        if self._proxies[key] is not None:
            check_literal(request.url.host, request.zones)
        return self._proxies[key]

    def _client(self, request: Outgoing, proxy: str | None) -> httpx.AsyncClient:
        key = (request.tls, request.zones, proxy)
        if key not in self._clients:
            self._clients[key] = httpx.AsyncClient(
                transport=_transport(request, proxy),
                timeout=httpx.Timeout(request.seconds, connect=min(request.seconds, _CONNECT_SECONDS)),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
                trust_env=False,
            )
        return self._clients[key]

    async def aclose(self) -> None:
        """Close every connection."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()


def _transport(request: Outgoing, proxy: str | None) -> httpx.AsyncHTTPTransport:
    """A transport that checks where it connects to, or one that leaves that to a proxy."""
    context = _context(request.tls)
    if proxy is None:
        return GuardedTransport(request.zones, context)
    return httpx.AsyncHTTPTransport(proxy=proxy, verify=context)


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY` and their kin)."""
    proxies = getproxies()
    if not proxies or is_loopback(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return proxies.get(url.scheme) or proxies.get("all")


def _context(tls: Tls) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=tls.verified)
    if tls.verified and tls.ca_file is not None:
        context.load_verify_locations(cafile=str(tls.ca_file))
    return context


async def _read(response: httpx.Response, limit: int, request: Outgoing) -> bytes:
    """Read at most `limit` bytes; an error's longer body is cut, any other is a fault."""
    chunks, total = [], 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        total += len(chunk)
        if total > limit:
            break
    body = _decoded(b"".join(chunks), response.headers.get("Content-Encoding", ""), limit, request)
    if len(body) > limit and response.is_success:
        raise RegistryAnswerInvalid(f"{request.host} answered with more than {limit} bytes, and was cut off")
    return body[:limit]


def _decoded(body: bytes, encoding: str, limit: int, request: Outgoing) -> bytes:
    """Undo a compression nobody asked for, without making room for a bomb."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, limit + 1)
    except zlib.error as error:
        raise RegistryAnswerInvalid(
            f"{request.host} answered in an encoding that was not asked for: {encoding[:40]!r}"
        ) from error


def _no_answer(request: Outgoing, error: httpx.RemoteProtocolError) -> RegistryError:
    """Tell a connection that ended too early from an answer that is no HTTP."""
    text = str(error)
    if "disconnected" in text:
        return Interrupted(f"{request.host} hung up without an answer")
    if "peer closed" in text:
        return Interrupted(f"{request.host} hung up in the middle of its answer")
    return RegistryAnswerInvalid(f"{request.host} answered with something that is no HTTP: {text[:100]}")


def _late(request: Outgoing, error: Exception) -> RegistryUnreachable:
    if isinstance(error, httpx.ConnectTimeout):
        return NoConnection(f"cannot connect to {request.host}: nobody answers there")
    return RegistryUnreachable(f"{request.host} did not finish its answer within {request.seconds:g} s")


def _reason(error: Exception) -> str:
    """The innermost cause, in the words of the system: `Connection refused`."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    if isinstance(cause, ssl.SSLError):
        text = getattr(cause, "verify_message", None) or cause.reason or "TLS failed"
    elif isinstance(cause, socket.gaierror):
        text = "there is no such host name"
    elif isinstance(cause, OSError) and cause.errno is not None and cause.errno in errno.errorcode:
        text = os.strerror(cause.errno)
    else:
        text = str(cause)
    return str(text or type(cause).__name__)[:200]
