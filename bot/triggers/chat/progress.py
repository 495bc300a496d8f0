"""Progress of long work as one message that is edited: a thread is not spammed."""

from __future__ import annotations

import logging
from typing import Final

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.ports import Chat, Clock, Progress

log: Final = logging.getLogger(__name__)
_SECONDS: Final = 3.0


class ChatProgress:
    """The `Progress` port of a conversation; an edit that fails costs that edit only.

    Args:
        chat: Where the message is.
        thread: Its thread.
        message: Which.
        clock: Monotonic time; a chat takes about one edit a second, and people need fewer.
        beside: Where the same steps are told too.
    """

    def __init__(self, chat: Chat, thread: str, message: str, clock: Clock, beside: Progress) -> None:
        self._chat, self._thread, self._message = chat, thread, message
        self._clock, self._beside = clock, beside
        self._last: float | None = None

    def step(self, text: str) -> None:
        """A step begins; steps that follow each other within seconds are left out."""
        self._beside.step(text)
        now = self._clock.monotonic()
        if self._last is None or now - self._last >= _SECONDS:
            self._last = now
            self.show(f"{text[:1].upper()}{text[1:]} …")

    def detail(self, text: str) -> None:
        """Something inside the current step: for the log only."""
        self._beside.detail(text)

    def show(self, text: str) -> None:
        """Replace the message."""
        if not self._message:
            return
        try:
            self._chat.edit(self._thread, self._message, Answer(text))
        except ChatError as error:
            log.warning("progress was not shown: %s", error.message)
