"""Chats that must be connected to before they are heard, and that stay connected."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackClientError

from bot.errors import ChatError, RefitError
from bot.ports import Clock, Store
from bot.triggers.chat.names import MATRIX
from bot.triggers.chat.slack import SlackChat, reason

if TYPE_CHECKING:  # its library costs 18 MB, which a bot without Matrix need not pay
    from bot.triggers.chat.matrix import Hear, MatrixChat

log: Final = logging.getLogger(__name__)


class Hearer(Protocol):
    """A chat that must be connected to before it is heard."""

    def connect(self) -> None:
        """Connect, or see that the connection still stands; raises `ChatError`."""
        ...

    def close(self) -> None:
        """Hear nothing more."""
        ...


class SlackHearer:
    """Slack's token is tried, its groups are read, and in Socket Mode a connection is opened."""

    def __init__(self, chat: SlackChat, socket: SocketModeHandler | None) -> None:
        self._chat, self._socket, self._open = chat, socket, False

    def connect(self) -> None:
        """See `Hearer`; once open, the connection keeps itself up."""
        self._chat.check()
        if self._socket is None or self._open:
            return
        try:
            self._socket.connect()  # type: ignore[no-untyped-call]  # slack-bolt annotates none
        except (SlackClientError, OSError, ValueError) as error:
            hint = "Check slack.app_token (xapp-…, scope connections:write), and that Socket Mode is on."
            raise ChatError(f"Slack opened no connection: {reason(error)}", hint=hint) from error
        self._open = True

    def close(self) -> None:
        """See `Hearer`; it waits for nothing: the library's own reader looks up every few seconds only."""
        if self._socket is not None and self._open:
            self._open = False
            threading.Thread(target=_close, args=(self._socket,), daemon=True).start()


class MatrixHearer:
    """Matrix's token is tried, its rooms are joined, and messages are read from where we were."""

    def __init__(self, chat: MatrixChat, hear: Hear, store: Store, clock: Clock) -> None:
        self._chat, self._hear, self._store, self._clock = chat, hear, store, clock
        self._thread: threading.Thread | None = None

    def connect(self) -> None:
        """See `Hearer`; once heard, what fails is tried again by itself."""
        self._chat.check()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._listen, name="refit-matrix-hearing", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """See `Hearer`."""
        self._chat.close()

    def _listen(self) -> None:
        try:
            since = self._store.remembered(MATRIX, "since") or ""
            self._chat.listen(self._hear, since, self._keep)
        except RefitError as error:
            log.warning("Matrix is not heard for now: %s", error.message)

    def _keep(self, since: str) -> None:
        try:
            self._store.remember(MATRIX, "since", self._clock.now(), since)
        except RefitError as error:
            log.warning("where Matrix is was not noted: %s", error.message)


def _close(socket: SocketModeHandler) -> None:
    with suppress(AttributeError):  # of the library, where its reader closes the same socket meanwhile
        socket.close()  # type: ignore[no-untyped-call]  # slack-bolt annotates none


def connected(hearer: Hearer) -> bool:
    """Connect; False where it is down, which the log says."""
    try:
        hearer.connect()
    except ChatError as error:
        log.warning("chat is not ready: %s %s", error.message, error.hint)
        return False
    return True
