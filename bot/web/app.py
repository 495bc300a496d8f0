"""The web application: /healthz, /readyz, kept documents, and what chats and forges call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

log: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 2.0
_ASKING_AT_ONCE: Final = 4

Ready = Callable[[], Mapping[str, bool]]
Endpoint = Callable[[Request], Awaitable[Response]]


def web_app(ready: Ready, more: Sequence[Route] = (), *, patience: float = _PATIENCE_SECONDS) -> Starlette:
    """Build the application.

    Args:
        ready: State of each part by name; ready means every part is. It may block, or fail.
        more: What chats and forges call.
        patience: Seconds that `ready` may take; whatever takes longer is not ready.
    """
    routes = [Route("/healthz", _healthz), Route("/readyz", _readyz(ready, patience)), *more]
    return Starlette(routes=routes)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _readyz(ready: Ready, patience: float) -> Endpoint:
    limiter = CapacityLimiter(_ASKING_AT_ONCE)

    async def readyz(_: Request) -> Response:
        parts: Mapping[str, bool] = {}
        try:
            with anyio.move_on_after(patience):
                parts = await to_thread.run_sync(ready, abandon_on_cancel=True, limiter=limiter)
        except Exception:
            log.exception("readiness could not be told")
        whole = bool(parts) and all(parts.values())
        return JSONResponse({"ready": whole, "parts": dict(parts)}, 200 if whole else 503)

    return readyz
