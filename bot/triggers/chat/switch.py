"""All chats behind one port: a thread's name begins with its chat's."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import ChatError
from bot.model.answer import Answer
from bot.ports import Chat


class OneChat:
    """A chat whose threads carry its name, so that work done later, elsewhere, finds the way back.

    Args:
        name: `slack`.
        chat: The chat itself.
    """

    def __init__(self, name: str, chat: Chat) -> None:
        self._name, self._chat = name, chat

    def open(self, place: str, answer: Answer) -> str:
        """See `Chat.open`."""
        return f"{self._name}:{self._chat.open(place, answer)}"

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """See `Chat.say`."""
        return self._chat.say(thread.removeprefix(f"{self._name}:"), answer, once)

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """See `Chat.edit`."""
        self._chat.edit(thread.removeprefix(f"{self._name}:"), message, answer)


class Switch:
    """Answers in whichever chat a thread belongs to.

    Args:
        chats: By name.
    """

    def __init__(self, chats: Mapping[str, Chat]) -> None:
        self._chats = {name: OneChat(name, chat) for name, chat in chats.items()}

    def open(self, place: str, answer: Answer) -> str:
        """See `Chat.open`; a place is `slack:C024BE91L`."""
        return self._chat(place).open(place.partition(":")[2], answer)

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """See `Chat.say`."""
        return self._chat(thread).say(thread, answer, once)

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """See `Chat.edit`."""
        self._chat(thread).edit(thread, message, answer)

    def _chat(self, thread: str) -> OneChat:
        name = thread.partition(":")[0]
        if name not in self._chats:
            hint = "Configure the same chats on every machine that works for them."
            raise ChatError(f"this machine speaks no {name or 'chat'}", hint=hint)
        return self._chats[name]
