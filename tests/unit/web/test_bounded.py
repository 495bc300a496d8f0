"""What comes from outside is read within a length and a time."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.web.bounded import bounded_body


def read(*messages: dict[str, Any], seconds: float) -> bytes | int:
    """The body, or the status of the refusal; after these messages, nothing comes."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await anyio.sleep_forever()
        return left.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-length", b"10")]}
    body = anyio.run(partial(bounded_body, Request(scope, receive), 20, seconds=seconds))
    return body.status_code if isinstance(body, Response) else body


def part(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


MESSAGES: dict[str, tuple[list[dict[str, Any]], float, bytes | int]] = {
    "in parts": ([part(b"hello "), part(b"you", more=False)], 60, b"hello you"),
    "more than it says": ([part(b"x" * 15), part(b"x" * 15)], 60, 413),
    "the rest never comes": ([part(b"hello ")], 0.1, 408),
}


@pytest.mark.parametrize(("messages", "seconds", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_a_body_is_read_as_far_and_as_long_as_it_may_be(
    messages: list[dict[str, Any]], seconds: float, expected: bytes | int
) -> None:
    assert read(*messages, seconds=seconds) == expected
