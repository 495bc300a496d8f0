"""Chat commands are understood as people and chats write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.triggers.chat.grammar import CHAT, COMMENT, Command, NotUnderstood, Word, parse

TARGETS = ["backend", "frontend"]
RESCAN = Command(Word.RESCAN, "backend")
SNOOZE = Command(Word.SNOOZE, "debian:bookworm-slim", days=14, reason="release freeze")

UNDERSTOOD = {
    "plain": ("rescan backend", RESCAN),
    "capitals": ("RESCAN Backend", RESCAN),
    "backticks": ("rescan `backend`", RESCAN),
    "everything in backticks": ("`rescan backend`", RESCAN),
    "bold": ("*rescan* backend", RESCAN),
    "curly quotes": ("rescan “backend”", RESCAN),
    "with the bot's name": ("/refit rescan backend", RESCAN),
    "an image": ("rescan debian:bookworm-slim", Command(Word.RESCAN, "debian:bookworm-slim")),
    "everything": ("Rescan ALL", Command(Word.RESCAN, "all")),
    "a target of one of two projects": ("rescan acme/shop#web", Command(Word.RESCAN, "acme/shop#web")),
    "built afresh": ("rescan backend built", Command(Word.RESCAN, "backend", afresh=True)),
    "a name that Slack took for a link": (
        "rescan <http://ghcr.io/acme/app|ghcr.io/acme/app>",
        Command(Word.RESCAN, "ghcr.io/acme/app"),
    ),
    "an address that was pasted": (
        "rescan https://ghcr.io/acme/app:1",
        Command(Word.RESCAN, "ghcr.io/acme/app:1"),
    ),
    "a Markdown link": (
        "rescan [ghcr.io/acme/app:1](https://ghcr.io/acme/app)",
        Command(Word.RESCAN, "ghcr.io/acme/app:1"),
    ),
    "a typo in the word": ("rescna backend", RESCAN),
    "blanks": ("  rescan   backend  ", RESCAN),
    "check": ("check", Command(Word.CHECK)),
    "check of one": ("check Backend", Command(Word.CHECK, "backend")),
    "open": ("open backend", Command(Word.OPEN, "backend")),
    "status": ("status", Command(Word.STATUS)),
    "report": ("Report", Command(Word.REPORT)),
    "next": ("next?", Command(Word.NEXT)),
    "nothing": ("", Command(Word.HELP)),
    "the name alone": ("@refit", Command(Word.HELP)),
    "snooze": ("snooze debian:bookworm-slim 14 release freeze", SNOOZE),
    "snooze for d": ("snooze debian:bookworm-slim 14d release freeze", SNOOZE),
    "snooze for days": ("snooze `debian:bookworm-slim` 14 days release freeze", SNOOZE),
    "snooze for weeks": ("snooze debian:bookworm-slim 2 weeks release freeze", SNOOZE),
}


@pytest.mark.parametrize(("text", "command"), UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_a_command_is_understood(text: str, command: Command) -> None:
    assert parse(text, TARGETS) == command


REFUSED = {
    "a typo in the target": ("rescan backnd", "Did you mean backend?"),
    "an unknown target": ("rescan zebra", "Known are: backend, frontend."),
    "an unknown target to check": ("check zebra", "Known are: backend, frontend."),
    "no target": ("rescan", "Which one?"),
    "no target to open": ("open", "Which one?"),
    "two targets": ("rescan a b", "Which one?"),
    "an image to build": ("rescan debian:12 built", "There is no such target."),
    "no command": ("make coffee", "I do not know that command."),
    "what is for pull requests": ("rebase", "I do not know that command."),
    "a snooze without a reason": ("snooze debian:12 14", "and a reason, please"),
    "a snooze without days": ("snooze debian:12 because", "a number of days"),
    "a snooze for ever": ("snooze debian:12 9999 because", "1 to 366 days"),
    "a snooze of no image": ("snooze De:b:ian 3 because", "That is no image"),
}


@pytest.mark.parametrize(("text", "answer"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_understood_gets_an_answer_that_helps(text: str, answer: str) -> None:
    result = parse(text, TARGETS)

    assert isinstance(result, NotUnderstood)
    assert answer in result.answer


ABOUT = {
    "rescan": ("/refit rescan", Command(Word.RESCAN, "debian:12")),
    "rebase": ("/refit rebase", Command(Word.REBASE)),
    "recreate": ("/Refit recreate", Command(Word.RECREATE)),
    "snooze": ("/refit snooze 14d waits for QA", Command(Word.SNOOZE, "debian:12", 14, "waits for QA")),
    "help": ("/refit help", Command(Word.HELP)),
}


@pytest.mark.parametrize(("text", "command"), ABOUT.values(), ids=ABOUT.keys())
def test_on_a_pull_request_its_image_need_not_be_named(text: str, command: Command) -> None:
    assert parse(text, TARGETS, words=COMMENT, about="debian:12") == command


@given(st.text(max_size=600))
def test_whatever_is_said_is_a_command_or_gets_an_answer(text: str) -> None:
    result = parse(text, TARGETS)

    assert isinstance(result, Command) or result.answer


def test_help_names_every_command_that_may_be_given() -> None:
    answer = parse("make coffee", TARGETS)

    assert isinstance(answer, NotUnderstood)
    assert [line.split(":")[0].split(" ")[0] for line in answer.answer.splitlines()[1:]] == list(CHAT)
