"""The desk: takes what people say in any chat, answers at once, and queues what takes longer.

Every adapter hands its messages over here, so that access, the rate limit, the audit log and "the same
message twice runs once" are the same everywhere.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import ChatError, RefitError, StoreError
from bot.model.answer import Answer
from bot.ports import Chat, Clock, Queue, Store, Task
from bot.report.quote import visible
from bot.triggers.chat.access import Access, RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.grammar import CHAT, Command, NotUnderstood, Word, help_text, parse
from bot.triggers.deliveries import heard_first

log: Final = logging.getLogger(__name__)
_SHOWN: Final = 200
_NO: Final = "Sorry, I am not allowed to take commands from you here."
_AT_ONCE: Final = "One moment; the answer comes in the thread."


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said to the bot.

    Attributes:
        chat: Which chat: `slack`.
        who: The person's id there.
        place: The channel or room.
        text: The words after the bot's name.
        delivery: The same for the same message delivered twice, and for no other.
        thread: Where it is answered; empty where a thread must be opened first.
    """

    chat: str
    who: str
    place: str
    text: str
    delivery: str
    thread: str = ""

    @property
    def person(self) -> str:
        """Who asked, as the audit log and snoozes name them: `slack:U012AB3CD`."""
        return f"{self.chat}:{self.who}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What becomes of a message: what is said at once, and what is then begun (None for nothing more)."""

    answer: Answer | None
    command: Command | None = None


class Desk:
    """Takes messages of one chat.

    Args:
        chat: Where threads are opened and answered.
        access: Who is answered.
        limit: How often.
        queues: Where work of each word goes.
        store: Holds the ledger of deliveries and the audit log.
        clock: Wall time.
        targets: Names of all targets, for "did you mean".
        tell: Answers a word from what is known already: `status`, `next`.
        answers: Says what is said in a thread that is there; what the chat does not take, later.
    """

    def __init__(  # noqa: PLR0913 - collaborators by keyword
        self,
        *,
        chat: Chat,
        access: Access,
        limit: RateLimit,
        queues: Callable[[Word], Queue],
        store: Store,
        clock: Clock,
        targets: Callable[[], Sequence[str]],
        tell: Mapping[Word, Callable[[], Answer]],
        answers: Answers,
    ) -> None:
        self._chat, self._access, self._limit = chat, access, limit
        self._queues, self._store, self._clock = queues, store, clock
        self._targets, self._tell, self._answers = targets, tell, answers

    def hear(self, message: Message) -> Heard:
        """Answer a message; nothing is done that the audit log does not hold."""
        try:
            return self._hear(message)
        except RefitError as error:
            log.error("%s: %s", message.person, error.message)  # noqa: TRY400 - expected: no traceback
            return Heard(failed(error))

    def converse(self, message: Message) -> None:
        """Hear a message and answer it in its thread; a chat that is down takes the answer later."""
        heard = self.hear(message)
        if heard.command is not None:
            self.begin(message, heard.command)
        elif heard.answer is not None:
            self._answers.say(message.thread, heard.answer)

    def begin(self, message: Message, command: Command) -> None:
        """Open the thread where there is none, say that it begins, and queue the work.

        Raises:
            ChatError: There is no thread yet, and it cannot be opened.
        """
        subject = f" of {command.subject}" if command.subject else ""
        opening = Answer(f"{command.word.capitalize()}{subject}", mention=message.who)
        thread = message.thread or self._chat.open(message.place, opening)
        progress = self._waiting(thread)
        value = {**described(command), "thread": thread, "progress": progress, "who": message.person}
        task = Task(str(command.word), {**value, "mention": message.who})
        try:
            taken = self._queues(command.word).submit(task, work_key(command))
        except StoreError as error:
            log.error("%s: %s", message.person, error.message)  # noqa: TRY400 - expected: no traceback
            self._instead(thread, progress, failed(error))
            return
        if not taken:
            busy = "That is being done already; its own thread has the result."
            self._instead(thread, progress, Answer(busy))

    def _waiting(self, thread: str) -> str:
        """The message that tells the progress; empty where the chat does not take it, which costs it only."""
        try:
            return self._chat.say(thread, Answer("Waiting for its turn …"))
        except ChatError as error:
            log.warning("progress is not shown: %s", error.message)
            return ""

    def _instead(self, thread: str, progress: str, answer: Answer) -> None:
        """Put an answer where its progress was to be told, or below."""
        try:
            if progress:
                self._chat.edit(thread, progress, answer)
                return
        except ChatError as error:
            log.warning("a message was not replaced: %s", error.message)
        self._answers.say(thread, answer)

    def _hear(self, message: Message) -> Heard:
        now = self._clock.now()
        if not heard_first(self._store, f"{message.chat} {message.delivery}", now):
            return Heard(None)
        if not self._access.allows(message.who, message.place):
            return self._refused(message)
        if wait := self._limit.take(message.person):
            self._audit(message, "too often")
            return Heard(Answer(f"That was often. Please ask again in {math.ceil(wait)} seconds."))
        self._audit(message, "command")
        return self._understood(message.text)

    def _refused(self, message: Message) -> Heard:
        """A polite no, and an audit line; nobody can make us fill a channel or the log with them."""
        if self._limit.take(message.person):
            return Heard(None)
        self._audit(message, "refused")
        return Heard(Answer(_NO))

    def _understood(self, text: str) -> Heard:
        match parse(text, self._targets()):
            case NotUnderstood(answer=answer):
                first, *more = answer.splitlines()
                return Heard(Answer(first, tuple(more)))
            case Command(word=Word.HELP):
                return Heard(Answer("This is what I can do:", tuple(help_text(CHAT).splitlines())))
            case Command(word=word) as command:
                known = self._tell.get(word)
                return Heard(known()) if known else Heard(Answer(_AT_ONCE), command)

    def _audit(self, message: Message, what: str) -> None:
        detail = f"{message.place}: {message.text[:_SHOWN]}"
        log.info("%s: %s: %s", visible(message.person), what, visible(detail))
        self._store.audit(message.person, what, detail, self._clock.now())


def failed(error: RefitError) -> Answer:
    """What went wrong, and what to do about it."""
    return Answer(f"That failed: {error.message}", (error.hint,) if error.hint else ())


def described(command: Command) -> dict[str, str]:
    """A command as the small JSON value of a task."""
    fields = {"subject": command.subject, "days": str(command.days or ""), "reason": command.reason}
    return {name: text for name, text in {**fields, "afresh": "yes" * command.afresh}.items() if text}


def work_key(command: Command) -> str:
    """What makes it the same work as another's."""
    words = [str(command.word), *described(command).values()]
    return " ".join(words)
