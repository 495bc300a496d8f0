"""Requests from outside, read only as far as they may be long."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_DIGITS: Final = 18  # of a length; Python refuses to read one of thousands


async def bounded_body(request: Request, limit: int) -> bytes | Response:
    """The body, or the refusal of one that is longer than `limit` bytes or does not say how long it is."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or not length.isascii() or len(length) > _DIGITS or int(length) > limit:
        return PlainTextResponse(f"a request needs a length of at most {limit} bytes\n", 413)
    return await request.body()
