"""The grammar of commands: text in, command out. Pure; forgiving of case, backticks, links and typos."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.model.reference import Reference


class Word(StrEnum):
    """What a command begins with."""

    RESCAN = "rescan"
    CHECK = "check"
    STATUS = "status"
    REPORT = "report"
    SNOOZE = "snooze"
    NEXT = "next"
    OPEN = "open"
    REBASE = "rebase"
    RECREATE = "recreate"
    HELP = "help"


CHAT: Final = tuple(word for word in Word if word not in (Word.REBASE, Word.RECREATE))
COMMENT: Final = (Word.RESCAN, Word.REBASE, Word.RECREATE, Word.SNOOZE, Word.HELP)
ALL: Final = "all"

_CHAT_HELP: Final = {
    Word.RESCAN: "rescan <target|image|all>: scan it now, with the difference to its last scan"
    " (rescan <target> built: build it afresh first)",
    Word.CHECK: "check [target]: what is outdated, and what waits",
    Word.STATUS: "status: the last cycles and what became of them",
    Word.REPORT: "report: how large every target is, and where the last size report stands",
    Word.SNOOZE: "snooze <image> <days> <reason>: hold its updates back for a while",
    Word.NEXT: "next: what runs by itself, and when",
    Word.OPEN: "open <target>: bring its pull request now",
    Word.HELP: "help: this text",
}
_COMMENT_HELP: Final = {
    Word.RESCAN: "rescan: scan what this pull request builds, with the difference to the last scan",
    Word.REBASE: "rebase: prove it again on the newest commit of its base branch",
    Word.RECREATE: "recreate: make it anew, also where it was closed or pushed to",
    Word.SNOOZE: "snooze <days> <reason>: close it, and be silent for so long",
    Word.HELP: "help: this text",
}
_MAX: Final = 500
_MAX_DAYS: Final = 366
_NAME: Final = 60
# Slack writes <http://host/x|text> and <@U123|name> around what it takes for links, Markdown [text](address).
_ANGLE: Final = re.compile(r"<(?:https?://)?([^<>|]*)(?:\|([^<>]*))?>")
_MARKDOWN: Final = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_SCHEME: Final = re.compile(r"(?<!\S)https?://")
_DECORATION: Final = str.maketrans(dict.fromkeys('`*"“”„', " "))
_DAYS: Final = re.compile(r"(\d{1,4})(d|days?|w|weeks?)?", re.IGNORECASE)
_AFRESH: Final = ("built", "build", "afresh", "fresh")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was understood.

    Attributes:
        word: What is asked for.
        subject: A target, an image, `all`, or empty.
        days: How long a snooze lasts; 0 for other commands.
        reason: Why, in the person's words; empty for other commands.
        afresh: True where a target is to be built before it is scanned.
    """

    word: Word
    subject: str = ""
    days: int = 0
    reason: str = ""
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A text that is no command, with an answer that helps."""

    answer: str


def parse(
    text: str, targets: Sequence[str], *, words: Sequence[Word] = CHAT, about: str = ""
) -> Command | NotUnderstood:
    """Read a command.

    Args:
        text: What the person wrote after the bot's name.
        targets: Names of all targets, for "did you mean".
        words: What may be asked for here.
        about: What the conversation is about (a pull request's image): it need not be named then.
    """
    said = plain(text[:_MAX]).split()
    if said and said[0].lower().lstrip("/@!") == "refit":
        said = said[1:]
    if not said:
        return Command(Word.HELP)
    name = _nearest(said[0].lower(), words)
    if name is None:
        return NotUnderstood(f"I do not know that command.\n{help_text(words)}")
    word = Word(name)
    read = _READERS.get(word)
    return Command(word) if read is None else read(word, said[1:], targets, about)


def help_text(words: Sequence[Word]) -> str:
    """One line for each command that may be given here."""
    texts = _COMMENT_HELP if Word.REBASE in words else _CHAT_HELP
    return "\n".join(texts[word] for word in words)


def plain(text: str) -> str:
    """The words of a text, without what chats put around them."""
    unlinked = _ANGLE.sub(lambda found: found[2] or found[1], text)
    unlinked = _MARKDOWN.sub(lambda found: found[1], html.unescape(unlinked))
    return _SCHEME.sub("", unlinked).translate(_DECORATION)


def _rescan(word: Word, said: Sequence[str], targets: Sequence[str], about: str) -> Command | NotUnderstood:
    afresh = bool(said) and len(said) > 1 and said[-1].lower() in _AFRESH
    names = list(said[:-1] if afresh else said) or ([about] if about else [])
    if len(names) != 1:
        return NotUnderstood("Which one? For example: rescan backend, or rescan debian:bookworm-slim")
    if names[0].lower() == ALL:
        return Command(word, ALL)
    found = _subject(names[0], targets, images=not afresh)
    return found if isinstance(found, NotUnderstood) else Command(word, found, afresh=afresh)


def _target(word: Word, said: Sequence[str], targets: Sequence[str], about: str) -> Command | NotUnderstood:
    del about
    if not said and word is not Word.OPEN:
        return Command(word)
    if len(said) != 1:
        return NotUnderstood(f"Which one? For example: {word} {targets[0] if targets else 'backend'}")
    found = _subject(said[0], targets, images=False)
    return found if isinstance(found, NotUnderstood) else Command(word, found)


def _snooze(word: Word, said: Sequence[str], targets: Sequence[str], about: str) -> Command | NotUnderstood:
    """`snooze <image> <days> <reason>`; the image is left out where the conversation is about one."""
    del targets
    words = list(said)
    if about and words and _DAYS.fullmatch(words[0]):
        words.insert(0, about)
    image, days, reason = _parts(words)
    usage = "snooze 14d waits for the migration" if about else "snooze debian:bookworm-slim 14 release freeze"
    if not image or days is None or not reason:
        return NotUnderstood(f"An image, a number of days and a reason, please. For example: {usage}")
    if not 1 <= days <= _MAX_DAYS:
        return NotUnderstood(
            f"A snooze lasts 1 to {_MAX_DAYS} days; a rule of the configuration can be for ever."
        )
    try:
        if image != about:  # a pull request may be about several
            Reference.parse(image)
    except ValueError as error:
        return NotUnderstood(f"That is no image: {error}. For example: {usage}")
    return Command(word, image, days=days, reason=reason)


def _parts(words: Sequence[str]) -> tuple[str, int | None, str]:
    """Image, days and reason; `14 days reason` is read as `14d reason`."""
    found = _DAYS.fullmatch(words[1]) if len(words) > 1 else None
    if found is None:
        return (words[0] if words else "", None, "")
    rest = list(words[2:])
    unit = (found[2] or "").lower()
    if not unit and rest and re.fullmatch(r"(days?|weeks?)", rest[0], re.IGNORECASE):
        unit = rest.pop(0).lower()
    days = int(found[1]) * (7 if unit.startswith("w") else 1)
    return words[0], days, " ".join(rest)


def _subject(name: str, targets: Sequence[str], *, images: bool) -> str | NotUnderstood:
    """A target by its name in any case, or an image as it is written."""
    by_case = {target.lower(): target for target in targets}
    if name.lower() in by_case:
        return by_case[name.lower()]
    if "#" in name or (images and any(mark in name for mark in ":/@.")):
        return name
    near = difflib.get_close_matches(name.lower(), list(by_case), n=1)
    hint = f"Did you mean {by_case[near[0]]}?" if near else f"Known are: {', '.join(targets) or 'none'}."
    image = f" An image needs its tag, as in {name[:_NAME]}:latest." if images else ""
    return NotUnderstood(f"There is no such target. {hint}{image}")


def _nearest(word: str, known: Sequence[Word]) -> str | None:
    if word in known:
        return word
    near = difflib.get_close_matches(word, [str(one) for one in known], n=1, cutoff=0.75)
    return near[0] if near else None


_Reader = Callable[[Word, Sequence[str], Sequence[str], str], Command | NotUnderstood]
_READERS: Final[Mapping[Word, _Reader]] = {
    Word.RESCAN: _rescan,
    Word.CHECK: _target,
    Word.OPEN: _target,
    Word.SNOOZE: _snooze,
}
