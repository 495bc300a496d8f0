"""Bodies of answers: bounded in bytes, whatever their headers say of length and encoding."""

from __future__ import annotations

import zlib
from typing import Final

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid

ERROR_LIMIT: Final = 64 * 1024


async def read(response: httpx.Response, most: int, host: str) -> bytes:
    """Read a body of at most `most` bytes; that of an error is cut at 64 KiB, a longer other one is a fault.

    Also to be called for a HEAD: an answer that is not read ends its connection.

    Raises:
        RegistryAnswerInvalid: It is longer, or in an encoding that nobody asked for.
    """
    limit = most if response.is_success else ERROR_LIMIT
    chunks, total = [], 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        total += len(chunk)
        if total > limit:
            break
    body = _decoded(b"".join(chunks), response.headers.get("Content-Encoding", ""), limit, host)
    if len(body) > limit and response.is_success:
        raise RegistryAnswerInvalid(f"{host} answered with more than {limit} bytes, and was cut off")
    return body[:limit]


def _decoded(body: bytes, encoding: str, limit: int, host: str) -> bytes:
    """Undo a compression nobody asked for, without making room for a bomb."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, limit + 1)
    except zlib.error as error:
        raise RegistryAnswerInvalid(
            f"{host} answered in an encoding that was not asked for: {encoding[:40]!r}"
        ) from error
