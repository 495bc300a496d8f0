"""A worker in a house of fakes, which answers in a chat of its own."""

from __future__ import annotations

from bot.triggers.chat.answers import Answers
from bot.triggers.chat.conversation import Conversation
from bot.triggers.worker import Worker
from tests.fakes.chat import FakeChat
from tests.unit.cycle.house import House


def anybody(project: str, who: str) -> str:
    del project, who
    return ""


def worker(made: House, chat: FakeChat | None = None) -> Worker:
    return Worker(made.opened, talk(made, chat) if chat else None)


def talk(made: House, chat: FakeChat) -> Conversation:
    return Conversation(Answers(chat, made.store, made.clock), anybody)
