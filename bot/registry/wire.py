"""One HTTP exchange: bounded in bytes and seconds, over connections whose end was checked."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx2 as httpx

from bot.errors import RegistryUnreachable
from bot.registry.bodies import read
from bot.registry.faults import FAILURES, explained
from bot.registry.guard import GuardedTransport, Zone, check_literal, connected_to, is_loopback

_CONNECT_SECONDS: Final = 10.0
# They log whole addresses, and a redirect's may be signed: whoever reads it could fetch what it leads to.
_TALKATIVE: Final = ("httpx2", "httpcore2")
_USER_AGENT: Final = "refit (+https://github.com/refit-bot/refit)"


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
        limit: Most bytes of an answer with status 2xx.
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
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)

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
        except FAILURES as error:
            raise explained(error, self._way(request), request.seconds) from error

    async def _exchange(self, request: Outgoing) -> Answer:
        proxy = self._proxy(request)
        client = self._client(request, proxy)
        built = client.build_request(
            request.method, request.url, headers=dict(request.headers), data=request.form
        )
        response = await client.send(built, stream=True)
        try:
            zone = Zone.PUBLIC if proxy else connected_to(response.extensions.get("network_stream"))
            body = await read(response, request.limit, request.host)
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

    def _way(self, request: Outgoing) -> str:
        """The host, and the proxy that leads there, without its login: the failure may be its own."""
        proxy = self._proxies.get((request.url.scheme, request.url.netloc))
        return f"{request.host} by the proxy {httpx.URL(proxy).netloc.decode()}" if proxy else request.host

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
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY` and their kin).

    Raises:
        RegistryUnreachable: What is named there is no proxy that can be spoken to.
    """
    proxies = getproxies()
    if not proxies or is_loopback(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named:
        return None
    proxy = named if "://" in named else f"http://{named}"  # as curl and others read it
    scheme = proxy.partition("://")[0].lower()
    if scheme not in {"http", "https"}:
        hint = "Name an http:// or https:// proxy in HTTPS_PROXY, or except the host by NO_PROXY."
        raise RegistryUnreachable(f"cannot ask {url.host}: a {scheme}:// proxy is not spoken to", hint=hint)
    return proxy


def _context(tls: Tls) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=tls.verified)
    if tls.verified and tls.ca_file is not None:
        context.load_verify_locations(cafile=str(tls.ca_file))
    return context
