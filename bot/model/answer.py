"""What the bot answers in a chat, before any chat's own markup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Button:
    """Something a person can do next.

    Attributes:
        label: What it says: `Rescan`.
        url: A page it opens; empty for a command.
        command: What pressing it says to the bot, in the words of the grammar; empty for a page.
        question: What a person is asked before the command is taken; empty for nothing.
    """

    label: str
    url: str = ""
    command: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One message; every text is plain, and may hold words from outside: each chat makes them harmless.

    Attributes:
        headline: The one line that says it.
        lines: More, one thought each.
        table: Rows of cells, the header first; empty for none. Cells after the first are numbers.
        foot: Small print: who asked, how long it took, where the report is.
        buttons: What can be done next.
        mention: Who is called, in the chat's own id; empty for nobody.
    """

    headline: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    foot: str = ""
    buttons: tuple[Button, ...] = ()
    mention: str = ""
