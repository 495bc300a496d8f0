"""The grammar of chat commands: text in, command out. Pure; forgiving of case, backticks and links."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HELP: Final = (
    "rescan <target|image> — scan it now, with the difference to its last scan\n"
    "status — the last cycles and what became of them\n"
    "help — this text"
)
_WORDS: Final = ("rescan", "status", "help")
# Slack writes <http://host/x|text> and <@U123|name> around what it takes for links.
_LINK: Final = re.compile(r"<(?:https?://)?([^<>|]*)(?:\|([^<>]*))?>")
_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was understood: its word, and its argument or an empty text."""

    word: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A text that is no command, with an answer that helps."""

    answer: str


def parse(text: str, targets: Sequence[str]) -> Command | NotUnderstood:
    """Read a command.

    Args:
        text: What the person wrote after the bot's name.
        targets: Names of all targets, for "did you mean".
    """
    words = _plain(text[:_MAX]).split()
    if not words:
        return Command("help")
    word = _nearest(words[0].lower(), _WORDS)
    if word is None:
        return NotUnderstood(f"I do not know that command.\n{HELP}")
    if word != "rescan":
        return Command(word)
    if len(words) != 2:
        return NotUnderstood("Which one? For example: rescan backend, or rescan debian:bookworm-slim")
    return _rescan(words[1], targets)


def _rescan(name: str, targets: Sequence[str]) -> Command | NotUnderstood:
    by_case = {target.lower(): target for target in targets}
    if name.lower() in by_case:
        return Command("rescan", by_case[name.lower()])
    if any(mark in name for mark in ":/@."):
        return Command("rescan", name)
    near = difflib.get_close_matches(name.lower(), list(by_case), n=1)
    hint = f"Did you mean {by_case[near[0]]}?" if near else f"Known are: {', '.join(targets) or 'none'}."
    return NotUnderstood(f"There is no such target. {hint} An image needs its tag, as in {name[:60]}:latest.")


def _plain(text: str) -> str:
    unlinked = _LINK.sub(lambda found: found[2] or found[1], text)
    return unlinked.replace("`", " ").replace("*", " ")


def _nearest(word: str, known: Sequence[str]) -> str | None:
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    return near[0] if near else None
