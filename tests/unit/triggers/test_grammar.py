"""Chat commands are understood as people and chats write them."""

from __future__ import annotations

import pytest

from bot.triggers.chat.grammar import Command, NotUnderstood, parse

TARGETS = ["backend", "frontend"]

UNDERSTOOD = {
    "plain": ("rescan backend", Command("rescan", "backend")),
    "capitals": ("RESCAN Backend", Command("rescan", "backend")),
    "backticks": ("rescan `backend`", Command("rescan", "backend")),
    "bold": ("*rescan* backend", Command("rescan", "backend")),
    "an image": ("rescan debian:bookworm-slim", Command("rescan", "debian:bookworm-slim")),
    "a name that Slack took for a link": (
        "rescan <http://ghcr.io/acme/app|ghcr.io/acme/app>",
        Command("rescan", "ghcr.io/acme/app"),
    ),
    "a typo in the word": ("rescna backend", Command("rescan", "backend")),
    "blanks": ("  rescan   backend  ", Command("rescan", "backend")),
    "status": ("status", Command("status")),
    "nothing": ("", Command("help")),
}


@pytest.mark.parametrize(("text", "command"), UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_a_command_is_understood(text: str, command: Command) -> None:
    assert parse(text, TARGETS) == command


REFUSED = {
    "a typo in the target": ("rescan backnd", "Did you mean backend?"),
    "an unknown target": ("rescan zebra", "Known are: backend, frontend."),
    "no target": ("rescan", "Which one?"),
    "two targets": ("rescan a b", "Which one?"),
    "no command": ("make coffee", "I do not know that command."),
}


@pytest.mark.parametrize(("text", "answer"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_understood_gets_an_answer_that_helps(text: str, answer: str) -> None:
    result = parse(text, TARGETS)

    assert isinstance(result, NotUnderstood)
    assert answer in result.answer
