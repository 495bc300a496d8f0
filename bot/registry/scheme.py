"""Which scheme a host speaks that may speak plain HTTP: one on loopback, or one that is marked insecure."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from bot.registry.endpoints import bare_host

_SECONDS: Final = 2.0


async def tried(host: str) -> str:
    """Find out whether a host (with or without a port) speaks TLS: by a handshake, nothing is sent."""
    bare, _, port = host.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(
                bare_host(host), int(port) if bare and port.isdigit() else 443, ssl=context
            )
    except (OSError, TimeoutError):
        return "http"
    writer.transport.abort()
    return "https"
