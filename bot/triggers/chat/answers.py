"""Answers that arrive: what a chat does not take now is kept, and said again later."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import asdict
from typing import Final

from bot.cycle.cleanup import OWED_ANSWER
from bot.errors import ChatError, StoreError
from bot.model.answer import Answer, Button
from bot.ports import Chat, Clock, Store
from bot.triggers.outbox import Letter, Outbox

log: Final = logging.getLogger(__name__)


class Answers:
    """Says answers in their threads; none is lost, and none is said again once a chat confirmed it.

    Args:
        chat: All chats.
        store: Keeps what was not taken.
        clock: Wall time.
    """

    def __init__(self, chat: Chat, store: Store, clock: Clock) -> None:
        self.chat = chat
        self._outbox = Outbox(OWED_ANSWER, self._carry, store, clock)

    def say(self, thread: str, answer: Answer) -> None:
        """Say it now, or as soon as the chat takes it."""
        once = uuid.uuid4().hex
        try:
            self.chat.say(thread, answer, once)
        except ChatError as error:
            log.warning("an answer is kept to be said again: %s", error.message)
            self._keep(once, thread, answer)

    def deliver(self, *, given_up: bool = False) -> None:
        """Say again what was not taken; see `Outbox.deliver`."""
        self._outbox.deliver(given_up=given_up)

    def _keep(self, once: str, thread: str, answer: Answer) -> None:
        body = {"thread": thread, "answer": json.dumps(asdict(answer))}
        try:
            self._outbox.put(once, thread.partition(":")[0], body)
        except StoreError as error:
            log.error("the answer was not delivered: %s", error.message)  # noqa: TRY400 - expected

    def _carry(self, key: str, letter: Letter) -> bool:
        try:
            self.chat.say(letter.body["thread"], _answer(letter.body["answer"]), key)
        except ChatError as error:
            log.warning("an answer was not taken again: %s", error.message)
            return False
        return True


def _answer(text: str) -> Answer:
    fields = json.loads(text)
    return Answer(
        fields["headline"],
        tuple(fields["lines"]),
        tuple(map(tuple, fields["table"])),
        fields["foot"],
        tuple(Button(**one) for one in fields["buttons"]),
        fields["mention"],
    )
