"""Which network addresses a connection may end at.

A registry may live on a private or loopback address: many do. What a registry *points at* (the realm
of its token server, a redirect) may not lead to a place more inside than the registry itself, or a hostile
registry could make us ask the cloud's metadata service or a neighbour of ours. The address that is
checked is the one that was connected to, so a name that resolves differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import httpcore2
import httpx2 as httpx

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Where clouds keep their machines' credentials, beside 169.254.169.254: Amazon by IPv6, Azure, Alibaba.
_METADATA: Final = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "168.63.129.16", "100.100.100.200")))
_LOOPBACK_NAMES: Final = ("localhost",)


class Zone(StrEnum):
    """How far inside an address is."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    FORBIDDEN = "forbidden"


REGISTRY_ZONES: Final = frozenset({Zone.PUBLIC, Zone.PRIVATE, Zone.LOOPBACK})


class AddressRefused(Exception):
    """A connection led to an address where it may not go."""


def zone_of(address: str) -> Zone:
    """The zone of an IP address, as text."""
    found = _meant(ipaddress.ip_address(address.partition("%")[0].strip("[]")))
    if found in _METADATA or found.is_link_local or found.is_multicast or found.is_unspecified:
        return Zone.FORBIDDEN
    if found.is_loopback:
        return Zone.LOOPBACK
    return Zone.PUBLIC if found.is_global else Zone.PRIVATE


def _meant(found: _Address) -> _Address:
    """The IPv4 address where an IPv6 one only stands for it: mapped, 6to4 (RFC 3056), NAT64 (RFC 6052)."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses, as Docker decides it: by name, without a look-up."""
    try:
        return zone_of(host) is Zone.LOOPBACK
    except ValueError:
        return host.lower() in _LOOPBACK_NAMES


def foreign_zones(own: Zone) -> frozenset[Zone]:
    """Where a registry that lives in `own` may send us."""
    return frozenset({Zone.PUBLIC, own}) - {Zone.FORBIDDEN}


class _GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects as usual, and hangs up before a byte is sent where the address is not allowed."""

    def __init__(self, allowed: frozenset[Zone]) -> None:
        self._allowed = allowed
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        check_literal(host, self._allowed)
        stream = await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            _check(host, connected_to(stream), self._allowed)
        except AddressRefused:
            await stream.aclose()
            raise
        return stream

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def check_literal(host: str, allowed: frozenset[Zone]) -> None:
    """Check a host that is written as an address; any other name is checked once it is connected to.

    Raises:
        AddressRefused: The address is not allowed.
    """
    try:
        zone = zone_of(host)
    except ValueError:
        return
    _check(host, zone, allowed)


def _check(host: str, zone: Zone, allowed: frozenset[Zone]) -> None:
    if zone not in allowed:
        raise AddressRefused(f"{host} is at a {zone.value} address")


def connected_to(stream: Any) -> Zone:
    """The zone of the other end of an open connection; `FORBIDDEN` where it cannot be told."""
    address = stream.get_extra_info("server_addr") if stream is not None else None
    try:
        return zone_of(str(address[0])) if address else Zone.FORBIDDEN
    except ValueError:
        return Zone.FORBIDDEN


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over connections whose address was checked."""

    def __init__(self, allowed: frozenset[Zone], verify: Any) -> None:
        super().__init__(verify=verify)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=None,
            max_keepalive_connections=64,
            keepalive_expiry=15.0,
            network_backend=_GuardedNetwork(allowed),
        )
