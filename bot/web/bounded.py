"""Requests from outside, read only as far as they may be long."""

from __future__ import annotations

from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_DIGITS: Final = 18  # of a length; Python refuses to read one of thousands
_SECONDS: Final = 10.0  # GitHub gives up by then, and Slack long before


async def bounded_body(request: Request, limit: int, *, seconds: float = _SECONDS) -> bytes | Response:
    """The body, or the refusal of one that is too long or too slow, or does not say how long it is.

    What comes is counted as well: a body that is sent in chunks says its own length, whatever the header
    says (RFC 9112, section 6.3), and nobody has signed anything yet.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or not length.isascii() or len(length) > _DIGITS or int(length) > limit:
        return _refused(limit)
    body = bytearray()
    with anyio.move_on_after(seconds):
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                return _refused(limit)
        return bytes(body)
    return PlainTextResponse("a request comes at once\n", 408, {"Connection": "close"})


def _refused(limit: int) -> Response:
    return PlainTextResponse(f"a request needs a length of at most {limit} bytes\n", 413)
