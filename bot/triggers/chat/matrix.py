"""Matrix: a mention or `!rescan` in a listed room, answered in its thread. Rooms are not encrypted.

matrix-nio is asynchronous: it lives in a thread with a loop of its own, and the `Chat` port waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, Final, TypeVar

from aiohttp import ClientError
from nio import AsyncClient, AsyncClientConfig
from nio.responses import (
    ErrorResponse,
    JoinResponse,
    ProfileGetDisplayNameResponse,
    RoomSendResponse,
    SyncResponse,
    WhoamiResponse,
)

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.report.quote import visible
from bot.triggers.chat.desk import Message
from bot.triggers.chat.matrix_text import command_in, content, in_thread, instead, sent_at, thread_of
from bot.triggers.chat.names import MATRIX as NAME

log: Final = logging.getLogger(__name__)
_PATIENCE: Final = 20.0
_LONG_POLL_MS: Final = 30_000
_PAUSE_SECONDS: Final = 5.0
_STALE_SECONDS: Final = 600.0
_HINT: Final = "Check matrix.homeserver, matrix.user and the access token, and that the user is in the rooms."
Got = TypeVar("Got")
Hear = Callable[[Message], None]


class MatrixChat:
    """The `Chat` port on Matrix. A thread is `!room $event`, a message an event id.

    Args:
        homeserver: Its address.
        user: Our Matrix id.
        token: Our access token.
        rooms: Where we listen; we join them when invited.
    """

    def __init__(self, homeserver: str, user: str, token: str, rooms: Sequence[str]) -> None:
        self._homeserver, self._user, self._token, self._rooms = homeserver, user, token, rooms
        self._client: AsyncClient | None = None
        self._name = ""
        self._lock = threading.Lock()
        self._running: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def open(self, place: str, answer: Answer) -> str:
        """See `Chat.open`."""
        return f"{place} {self._wait(self._post(place, content(answer)))}"

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """See `Chat.say`; a homeserver takes each transaction once."""
        room, _, root = thread.partition(" ")
        return self._wait(self._post(room, in_thread(content(answer), root), once))

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """See `Chat.edit`."""
        self._wait(self._post(thread.partition(" ")[0], instead(content(answer), message)))

    def check(self) -> None:
        """Ask the homeserver whether it takes our token, and join our rooms.

        Raises:
            ChatError: It does not, or cannot be reached.
        """
        self._wait(self._introduce())

    def listen(self, hear: Hear, since: str, keep: Callable[[str], None]) -> None:
        """Hear messages from now on, in the thread that calls; returns when `close` was called.

        Args:
            hear: Takes each message for us; it may block.
            since: Where an earlier call had come to; empty for the first.
            keep: Told where we are, after what came before was heard.
        """
        future = asyncio.run_coroutine_threadsafe(self._listen(hear, since, keep), self._loop())
        try:
            future.result()
        except CancelledError:
            return

    def close(self) -> None:
        """Hear nothing more; answers can still be given."""
        if self._running is not None:
            self._running.call_soon_threadsafe(self._cancel)

    def disconnect(self) -> None:
        """Close the connections; nothing can be heard or answered any more."""
        if self._running is None or self._thread is None:
            return
        if self._client is not None:
            asyncio.run_coroutine_threadsafe(self._client.close(), self._running).result(_PATIENCE)
        self._running.call_soon_threadsafe(self._running.stop)
        self._thread.join(_PATIENCE)
        self._running.close()

    # -- inside -------------------------------------------------------------------------------

    def _wait(self, work: Coroutine[Any, Any, Got]) -> Got:
        future = asyncio.run_coroutine_threadsafe(work, self._loop())
        try:
            return future.result(_PATIENCE)
        except (TimeoutError, ClientError, OSError) as error:
            future.cancel()
            said = str(error) or type(error).__name__
            raise ChatError(f"Matrix does not answer: {said}", hint=_HINT) from error

    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs from the first use on."""
        with self._lock:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                run = self._running.run_forever
                self._thread = threading.Thread(target=run, name="refit-matrix", daemon=True)
                self._thread.start()
            return self._running

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._running):
            if task.get_name() == NAME:
                task.cancel()

    def _nio(self) -> AsyncClient:
        """The client, made inside its loop."""
        if self._client is None:
            config = AsyncClientConfig(max_limit_exceeded=3, max_timeouts=1)
            self._client = AsyncClient(self._homeserver, self._user, config=config)
            self._client.access_token, self._client.user_id = self._token, self._user
        return self._client

    async def _introduce(self) -> None:
        client = self._nio()
        _taken(await client.whoami(), WhoamiResponse, "our token")
        named = await client.get_displayname(self._user)
        if isinstance(named, ProfileGetDisplayNameResponse):
            self._name = named.displayname or ""
        for room in self._rooms:
            _taken(await client.join(room), JoinResponse, f"us in {room}")

    async def _post(self, room: str, made: Mapping[str, Any], once: str = "") -> str:
        sent = await self._nio().room_send(room, "m.room.message", dict(made), tx_id=once or None)
        event_id: str = _taken(sent, RoomSendResponse, "a message").event_id
        return event_id

    async def _listen(self, hear: Hear, since: str, keep: Callable[[str], None]) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.set_name(NAME)
        # What was said before we first came is not for us; homeservers may answer a first sync from a cache.
        begun, floor = bool(since), 0.0 if since else time.time()
        while True:
            synced = await self._sync(since)
            if synced is None:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if begun:
                await self._hear_all(synced, hear, floor)
            begun, since = True, synced.next_batch
            await asyncio.to_thread(keep, since)

    async def _sync(self, since: str) -> SyncResponse | None:
        wait = _LONG_POLL_MS if since else 0
        try:
            return _taken(await self._nio().sync(wait, since=since or None), SyncResponse, "a sync")
        except (ChatError, TimeoutError, ClientError, OSError) as error:
            log.warning("Matrix is not heard: %s", error)
            return None

    async def _hear_all(self, synced: SyncResponse, hear: Hear, floor: float) -> None:
        for room, joined in synced.rooms.join.items():
            for event in joined.timeline.events:
                message = self._message(room, event.source, floor)
                if message is not None:
                    await asyncio.to_thread(_heard, hear, message)

    def _message(self, room: str, event: Mapping[str, Any], floor: float) -> Message | None:
        """A message for us: new, by somebody else, with words for us."""
        said, sender = event.get("content", {}), str(event.get("sender", ""))
        old = sent_at(event) < max(floor, time.time() - _STALE_SECONDS)
        if sender == self._user or old or not isinstance(said, Mapping):
            return None
        text = command_in(said, self._user, self._name)
        if text is None:
            return None
        event_id = str(event.get("event_id", ""))
        thread = f"{NAME}:{room} {thread_of(said, event_id)}"
        return Message(NAME, sender, room, text, event_id, thread)


def _heard(hear: Hear, message: Message) -> None:
    """Hear one message; a bug that it meets keeps no other from being heard."""
    try:
        hear(message)
    except Exception:
        log.exception("a message of %s met a bug in Refit", visible(message.person))


def _taken(answer: object, wanted: type[Got], what: str) -> Got:
    """The answer, where it is the one that was hoped for.

    Raises:
        ChatError: The homeserver refused.
    """
    if isinstance(answer, wanted):
        return answer
    said = answer.message if isinstance(answer, ErrorResponse) else type(answer).__name__
    raise ChatError(f"Matrix did not take {what}: {said}", hint=_HINT)
