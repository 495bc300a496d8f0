"""The web application: /healthz, /readyz, kept documents, and what chats and forges call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from threading import Lock
from typing import Final

import anyio
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

log: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 2.0

Part = Callable[[], bool]
Endpoint = Callable[[Request], Awaitable[Response]]


def web_app(
    parts: Mapping[str, Part], more: Sequence[Route] = (), *, patience: float = _PATIENCE_SECONDS
) -> Starlette:
    """Build the application.

    Args:
        parts: What must be ready, by name; each tells whether it is. It may block, or fail.
        more: What chats and forges call.
        patience: Seconds that a part may take to answer; whatever takes longer is not ready.
    """
    routes = [Route("/healthz", _healthz), Route("/readyz", _readyz(parts, patience)), *more]
    return Starlette(routes=routes)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _readyz(parts: Mapping[str, Part], patience: float) -> Endpoint:
    """Ready means every part is; all are asked at the same time, so that one that is stuck hides no other."""
    asked = {name: _one_at_a_time(name, part, patience) for name, part in parts.items()}

    async def readyz(_: Request) -> Response:
        states = dict.fromkeys(parts, False)

        async def ask(name: str) -> None:
            with anyio.move_on_after(patience):
                states[name] = await to_thread.run_sync(asked[name], abandon_on_cancel=True)

        async with anyio.create_task_group() as group:
            for name in parts:
                group.start_soon(ask, name)
        whole = bool(states) and all(states.values())
        return JSONResponse({"ready": whole, "parts": states}, 200 if whole else 503)

    return readyz


def _one_at_a_time(name: str, part: Part, patience: float) -> Part:
    """Ask a part in one thread only: where that is stuck, those who ask after it go away again."""
    turn = Lock()

    def ask() -> bool:
        if not turn.acquire(timeout=patience):
            return False
        try:
            return part()
        except Exception:
            log.exception("%s could not tell whether it is ready", name)
            return False
        finally:
            turn.release()

    return ask
