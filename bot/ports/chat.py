"""Conversations."""

from __future__ import annotations

from typing import Protocol

from bot.model.answer import Answer


class Chat(Protocol):
    """A conversation that can be answered in its thread. Blocking; raises `ChatError`."""

    def open(self, place: str, answer: Answer) -> str:
        """Begin a thread in a channel or room; returns what names the thread."""
        ...

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """Post to a thread; returns what names the message.

        Args:
            thread: Where.
            answer: What.
            once: The same for the same message said again, where a chat can know it by that; empty for none.
        """
        ...

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """Replace a message of ours."""
        ...
