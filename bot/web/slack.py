"""Slack's signed requests: slash commands, events and pressed buttons, all at one address."""

from __future__ import annotations

from typing import Final

from slack_bolt import App, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.web.bounded import bounded_body

_LIMIT: Final = 256 * 1024  # a pressed button comes with the whole message it stands in


def slack_routes(slack: App) -> list[Route]:
    """Where Slack calls: `/slack/events`, or `/slack/commands`, as apps of old have it."""

    async def events(request: Request) -> Response:
        body = await bounded_body(request, _LIMIT)
        if isinstance(body, Response):
            return body
        # Bolt blocks until its listener has answered: in a thread, it holds nobody else up.
        return to_starlette_response(await run_in_threadpool(_dispatch, slack, request, body))

    return [Route(path, events, methods=["POST"]) for path in ("/slack/events", "/slack/commands")]


def _dispatch(slack: App, request: Request, body: bytes) -> BoltResponse:
    try:
        return slack.dispatch(to_bolt_request(request, body))
    except UnicodeDecodeError:
        return BoltResponse(status=400, body="a command is written in UTF-8")
