"""Commands in comments on GitHub: who may is asked there, and the head commit is fixed there and then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.cycle.parts import Parts
from bot.errors import ForgeError
from bot.model.answer import Answer
from bot.model.discussion import Pull
from bot.model.marker import about, file_name
from bot.ports import Discussion, Queue, Task
from bot.report.quote import visible
from bot.triggers.chat.access import RateLimit
from bot.triggers.chat.answers import Answers
from bot.triggers.chat.desk import described
from bot.triggers.chat.github import NAME
from bot.triggers.chat.grammar import COMMENT, Command, NotUnderstood, Word, help_text, parse
from bot.triggers.deliveries import heard_first, unhear
from bot.triggers.kept import AGAIN

log: Final = logging.getLogger(__name__)
_HEARD, _NO = "eyes", "confused"
_FORK: Final = "Sorry: nothing of a pull request from a fork is built or scanned here."
_NO_PULL: Final = "Sorry: I take commands on pull requests."
_OFTEN: Final = "That was often. Please ask again in a minute."
_NOT_TAKEN: Final = "Not taken: it is being done already, or I am about to stop and can be asked again soon."
_BOXES: Final = (Word.OPEN, Word.SNOOZE)


@dataclass(frozen=True, slots=True)
class Said:
    """A command on GitHub.

    Attributes:
        project: Where.
        number: Of the pull request or issue.
        comment: Id of the comment; 0 for a ticked box.
        author: Who said it.
        text: The command.
        issue_of: Who wrote the issue of a ticked box; empty for a comment.
        again: True where a process was killed after it had heard it.
    """

    project: str
    number: int
    comment: int
    author: str
    text: str
    issue_of: str = ""
    again: bool = False

    @property
    def key(self) -> str:
        """What the answer is found again by: one for each comment, and for each box."""
        return f"answer-{self.comment}" if self.comment else f"box-{file_name(self.text)}"

    @property
    def thread(self) -> str:
        """Where it is answered."""
        return f"{NAME}:{self.project}/{self.number}/{self.key}"

    @property
    def delivery(self) -> str:
        """The same for a comment by whichever way it comes."""
        return f"{NAME} {self.project} comment {self.comment}"

    @property
    def who(self) -> str:
        """Who asked, as the audit log names them."""
        return f"{NAME}:{self.author}"


class Comments:
    """Takes commands from GitHub: checks them, reacts, and queues the work.

    Args:
        discussion: GitHub.
        limit: How often one account is heard.
        queues: Where work of each word goes.
        targets: Names of all targets, for "did you mean".
        answers: Says answers, now or later.
    """

    def __init__(
        self,
        discussion: Discussion,
        limit: RateLimit,
        queues: Callable[[Word], Queue],
        targets: Callable[[], Sequence[str]],
        answers: Answers,
    ) -> None:
        self._discussion, self._limit, self._queues, self._targets = discussion, limit, queues, targets
        self._answers = answers

    def __call__(self, parts: Parts, task: Task) -> None:
        """Take one command; what is not for us is left without a word.

        Raises:
            ForgeError: GitHub did not answer; where the comment comes again, it is heard again.
        """
        said = _said(task)
        # GitHub writes a name as its owner does, the configuration in any case.
        name = next((one.name for one in parts.projects if one.name.lower() == said.project.lower()), None)
        if name is None:
            return
        said = replace(said, project=name)
        try:
            self._take(said, parts)
        except ForgeError:
            unhear(parts.store, said.delivery)
            raise

    def _take(self, said: Said, parts: Parts) -> None:
        """Take a command where a person gave it; nothing that we write ourselves begins like one."""
        if said.author.endswith("[bot]") or not self._first(said, parts):
            return
        if said.issue_of and said.issue_of.lower() != self._discussion.login(said.project).lower():
            return
        if not self._discussion.may_write(said.project, said.author):
            # A word would be an invitation to make us talk: the sign is enough.
            self._react(said, _NO)
            self._audit(said, "refused", parts)
            return
        self._heard(said, parts)

    def _first(self, said: Said, parts: Parts) -> bool:
        """True the first time a comment is heard, by webhook or by polling; boxes have their delivery."""
        return not said.comment or said.again or heard_first(parts.store, said.delivery, parts.clock.now())

    def _heard(self, said: Said, parts: Parts) -> None:
        self._audit(said, "command", parts)
        if self._limit.take(said.who):
            self._refuse(said, _OFTEN)
            return
        if not said.comment:
            self._understood(said, None, parse(said.text, self._targets(), words=_BOXES))
            return
        pull = self._discussion.pull(said.project, said.number)
        if pull is None or pull.fork:
            self._refuse(said, _FORK if pull else _NO_PULL)
            return
        command = parse(said.text, self._targets(), words=COMMENT, about=about(pull.slot))
        self._understood(said, pull, command)

    def _understood(self, said: Said, pull: Pull | None, command: Command | NotUnderstood) -> None:
        match command:
            case NotUnderstood(answer=answer):
                first, *more = answer.splitlines()
                self._answer(said, Answer(first, tuple(more)))
                self._react(said, _NO)
            case Command(word=Word.HELP):
                self._react(said, _HEARD)
                self._answer(said, Answer("This is what I can do:", tuple(help_text(COMMENT).splitlines())))
            case Command(word=word):
                self._react(said, _HEARD)
                if not self._queues(word).submit(_task(said, pull, command), f"{said.project} {said.key}"):
                    self._answer(said, Answer(_NOT_TAKEN))

    def _refuse(self, said: Said, why: str) -> None:
        self._react(said, _NO)
        self._answer(said, Answer(why))

    def _answer(self, said: Said, answer: Answer) -> None:
        self._answers.say(said.thread, replace(answer, mention=said.author))

    def _react(self, said: Said, sign: str) -> None:
        """A reaction that GitHub does not take costs the reaction only."""
        if not said.comment:
            return
        try:
            self._discussion.react(said.project, said.comment, sign)
        except ForgeError as error:
            log.warning("no reaction: %s", error.message)

    @staticmethod
    def _audit(said: Said, what: str, parts: Parts) -> None:
        detail = f"{said.project}#{said.number}: {said.text}"
        log.info("%s: %s: %s", visible(said.who), what, visible(detail))
        parts.store.audit(said.who, what, detail, parts.clock.now())


def _said(task: Task) -> Said:
    value = task.value
    return Said(
        value["project"],
        int(value["number"]),
        int(value.get("comment", "0")),
        value["author"],
        value["text"],
        value.get("issue_of", ""),
        again=bool(value.get(AGAIN)),
    )


def _task(said: Said, pull: Pull | None, command: Command) -> Task:
    """The work, with the head commit as it is now: what is pushed after the comment is not what was meant."""
    value = {**described(command), "thread": said.thread, "who": said.who, "mention": said.author}
    if pull is None:
        return Task(str(command.word), {**value, "project": said.project})
    of_pull = {"project": said.project, "number": str(said.number), "commit": pull.commit}
    of_pull |= {"slot": pull.slot, "branch": pull.branch}
    return Task(f"pull-{command.word}", {**value, **of_pull})
