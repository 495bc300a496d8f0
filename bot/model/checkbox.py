"""Checkboxes of an issue that stand for commands: ticking one says its command. Pure."""

from __future__ import annotations

import re
from typing import Final

# The command stands in a hidden comment at the end of the line: what a person reads can be any words.
_LINE: Final = re.compile(r"^\s*[-*] \[([ xX])\] .*<!-- refit do: (.{1,300}?) -->[ \t]*$", re.MULTILINE)


def checkbox(label: str, command: str) -> str:
    """A line of Markdown with an empty box.

    Args:
        label: Markdown that is shown; quoted by the caller where it holds words from outside.
        command: What ticking it says, in the words of the chat's grammar: `open acme/shop#backend`.
    """
    return f"- [ ] {label} <!-- refit do: {command.replace('--', '')} -->"


def ticked(before: str, after: str) -> tuple[str, ...]:
    """The commands whose boxes an edit ticked, in their order."""
    were = {command for box, command in _found(before) if box == " "}
    return tuple(dict.fromkeys(command for box, command in _found(after) if box in "xX" and command in were))


def _found(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = _LINE.findall(text.replace("\r\n", "\n"))
    return found
