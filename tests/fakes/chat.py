"""A chat that remembers what was said."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.errors import ChatError
from bot.model.answer import Answer


@dataclass
class FakeChat:
    """Threads in memory.

    Attributes:
        said: Thread and answer of each message, in order.
        edits: Message and headline of each edit, in order.
        down: True takes no message.
    """

    said: list[tuple[str, Answer]] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def open(self, place: str, answer: Answer) -> str:
        return self.say(f"{place}/new", answer)

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        del once
        self._check()
        if thread == "down":
            raise ChatError("the chat knows no such thread")
        self.said.append((thread, answer))
        return f"{thread}.{len(self.said)}"

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        del thread
        self._check()
        self.edits.append((message, answer.headline))

    def headlines(self) -> list[str]:
        return [answer.headline for _, answer in self.said]

    def _check(self) -> None:
        if self.down:
            raise ChatError("the chat does not answer")
