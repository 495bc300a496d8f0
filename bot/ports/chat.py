"""Conversations."""

from __future__ import annotations

from typing import Protocol


class Chat(Protocol):
    """A conversation that can be answered in its thread."""

    def say(self, thread: str, text: str) -> str:
        """Post to a thread; returns the message's id."""
        ...

    def edit(self, thread: str, message: str, text: str) -> None:
        """Replace the text of a message of ours."""
        ...
