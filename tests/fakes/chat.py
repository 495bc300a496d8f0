"""A chat that remembers what was said."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.errors import ChatError


@dataclass
class FakeChat:
    """Threads in memory.

    Attributes:
        said: Thread and text of each message, in order.
        down: True takes no message.
    """

    said: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def say(self, thread: str, text: str) -> str:
        if self.down:
            raise ChatError("the chat does not answer")
        self.said.append((thread, text))
        return f"{thread}.{len(self.said)}"

    def edit(self, thread: str, message: str, text: str) -> None:
        del message
        self.say(thread, text)
