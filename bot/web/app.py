"""The web application: /healthz, /readyz, and Slack's signed commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_LIMIT = 1024 * 1024


def web_app(ready: Callable[[], Mapping[str, bool]], slack: App | None = None) -> Starlette:
    """Build the application.

    Args:
        ready: State of each part by name; ready means every part is.
        slack: Bolt's application, or None where Slack is not configured.
    """

    def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_: Request) -> Response:
        parts = dict(ready())
        return JSONResponse(
            {"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503
        )

    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if slack is not None:
        routes.append(Route("/slack/commands", _slack_route(slack), methods=["POST"]))
    return Starlette(routes=routes)


def _slack_route(slack: App) -> Callable[[Request], object]:
    handler = SlackRequestHandler(slack)

    async def commands(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _LIMIT:
            return PlainTextResponse("a request needs a length of at most 1 MiB\n", 413)
        return await handler.handle(request)

    return commands
