"""GitHub's webhooks: checked, noted once, queued; answered within a second whatever the work takes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import StoreError
from bot.ports import Clock, Queue, Store, Task
from bot.triggers.deliveries import heard_first, unhear
from bot.triggers.webhook import LIMIT, is_signed, tasks_of
from bot.web.bounded import bounded_body

log: Final = logging.getLogger(__name__)
_LONGEST: Final = 100


class Webhooks:
    """Takes deliveries.

    Args:
        secrets: One, or two while one replaces the other.
        queue: Takes the work.
        store: Holds the ledger of deliveries.
        clock: Wall time.
    """

    def __init__(self, secrets: Sequence[bytes], queue: Queue, store: Store, clock: Clock) -> None:
        self._secrets, self._queue, self._store, self._clock = secrets, queue, store, clock

    async def __call__(self, request: Request) -> Response:
        """Answer one request; nothing is read into meaning that is not signed."""
        body = await bounded_body(request, LIMIT)
        if isinstance(body, Response):
            return body
        signature = request.headers.get("x-hub-signature-256", "").encode("latin-1", "replace")
        if not is_signed(self._secrets, body, signature):
            return PlainTextResponse("not signed with our secret\n", 401)
        event, delivery = (request.headers.get(f"x-github-{name}", "") for name in ("event", "delivery"))
        if not delivery or len(delivery) > _LONGEST:
            return PlainTextResponse("a delivery has an id\n", 400)
        return await run_in_threadpool(self._take, event, delivery, body)

    def _take(self, event: str, delivery: str, body: bytes) -> Response:
        try:
            tasks = tasks_of(event, body)
            if not tasks:
                return PlainTextResponse("nothing to do\n")
            if not heard_first(self._store, _key(delivery), self._clock.now()):
                return PlainTextResponse("heard already\n")
            self._submit(tasks, delivery)
        except ValueError:
            return PlainTextResponse(f"that is no {event!r} as GitHub sends it\n", 400)
        except StoreError as error:
            log.error("a delivery could not be taken: %s", error.message)  # noqa: TRY400 - expected
            return PlainTextResponse("try again\n", 503)
        return PlainTextResponse("queued\n", 202)

    def _submit(self, tasks: Sequence[Task], delivery: str) -> None:
        """Queue what a delivery asks for; where the queue does not take it, it may be delivered again."""
        try:
            for number, task in enumerate(tasks):
                self._queue.submit(task, f"delivery {delivery} {number}")
        except StoreError:
            unhear(self._store, _key(delivery))
            raise


def _key(delivery: str) -> str:
    return f"github {delivery}"


def github_routes(webhooks: Webhooks) -> list[Route]:
    """Where GitHub calls: `/github/webhooks`."""

    async def endpoint(request: Request) -> Response:
        return await webhooks(request)

    return [Route("/github/webhooks", endpoint, methods=["POST"])]
