"""The web application: /healthz, /readyz, and Slack's signed commands."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import anyio
from anyio import CapacityLimiter, to_thread
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

log: Final = logging.getLogger(__name__)
_LIMIT: Final = 64 * 1024
_PATIENCE_SECONDS: Final = 2.0
_ASKING_AT_ONCE: Final = 4

Ready = Callable[[], Mapping[str, bool]]
Endpoint = Callable[[Request], Awaitable[Response]]


def web_app(ready: Ready, slack: App | None = None, *, patience: float = _PATIENCE_SECONDS) -> Starlette:
    """Build the application.

    Args:
        ready: State of each part by name; ready means every part is. It may block, or fail.
        slack: Bolt's application, or None where Slack is not configured.
        patience: Seconds that `ready` may take; whatever takes longer is not ready.
    """
    routes = [Route("/healthz", _healthz), Route("/readyz", _readyz(ready, patience))]
    if slack is not None:
        routes.append(Route("/slack/commands", _slack(slack), methods=["POST"]))
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


def _slack(slack: App) -> Endpoint:
    async def commands(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _LIMIT:
            return PlainTextResponse(f"a request needs a length of at most {_LIMIT} bytes\n", 413)
        body = await request.body()
        # Bolt blocks until its listener has answered: in a thread, it holds nobody else up.
        return to_starlette_response(await run_in_threadpool(_dispatch, slack, request, body))

    return commands


def _dispatch(slack: App, request: Request, body: bytes) -> BoltResponse:
    try:
        return slack.dispatch(to_bolt_request(request, body))
    except UnicodeDecodeError:
        return BoltResponse(status=400, body="a command is written in UTF-8")
