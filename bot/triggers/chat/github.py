"""Comments on GitHub as a chat: one comment for each question, edited until it holds the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.errors import ChatError, ForgeError
from bot.model.answer import Answer
from bot.ports import Discussion
from bot.report.quote import quote

NAME: Final = "github"
_LINES: Final = 100
_ROWS: Final = 200
_LINE: Final = 500


class GitHubChat:
    """The `Chat` port on comments. A thread is `acme/shop/12/KEY`; its messages are one comment.

    Args:
        discussion: GitHub.
    """

    def __init__(self, discussion: Discussion) -> None:
        self._discussion = discussion

    def open(self, place: str, answer: Answer) -> str:
        """See `Chat.open`; a place is `acme/shop/12`."""
        thread = f"{place}/answer"
        self.say(thread, answer)
        return thread

    def say(self, thread: str, answer: Answer, once: str = "") -> str:
        """See `Chat.say`; a thread is one comment, however often it is said."""
        del once
        place, _, key = thread.rpartition("/")
        project, _, number = place.rpartition("/")
        try:
            self._discussion.answer(project, int(number), key, markdown(answer))
        except (ForgeError, ValueError) as error:
            raise ChatError(f"GitHub did not take the answer: {error}") from error
        return key

    def edit(self, thread: str, message: str, answer: Answer) -> None:
        """See `Chat.edit`."""
        del message
        self.say(thread, answer)


def markdown(answer: Answer) -> str:
    """An answer as GitHub shows it; every word from outside is quoted. Pure."""
    return "\n\n".join("\n".join(part) for part in _parts(answer) if part)


def _parts(answer: Answer) -> Iterator[Sequence[str]]:
    yield [f"**{quote(answer.headline, limit=_LINE)}**"]
    yield [f"- {quote(line, limit=_LINE)}" for line in answer.lines[:_LINES]]
    if answer.table:
        header, *rows = answer.table[:_ROWS]
        yield [_row(header), _row([":--", *["--:"] * (len(header) - 1)], raw=True), *map(_row, rows)]
    links = [f"[{quote(one.label)}]({one.url})" for one in answer.buttons if one.url.startswith("https://")]
    foot = [quote(answer.foot, limit=_LINE)] if answer.foot else []
    asked = [f"asked by {quote(answer.mention)}"] if answer.mention else []
    yield [f"<sub>{' · '.join([*asked, *foot, *links])}</sub>"] if asked or foot or links else []


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cells if raw else [quote(cell) or ' ' for cell in cells])} |"
