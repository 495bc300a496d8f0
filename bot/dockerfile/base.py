"""FROM: what a stage is based on, and what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.dockerfile.instructions import Instruction
from bot.dockerfile.words import plain_words, split_flags

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class From:
    """A FROM instruction taken apart.

    Attributes:
        image: Start and end of the base's word in the instruction's text, or None where it has none.
        name: The stage's name in small letters, or None.
        platform: Start and end of the value of `--platform`, or None.
        error: Why BuildKit refuses the line, or None.
    """

    image: tuple[int, int] | None
    name: str | None
    platform: tuple[int, int] | None
    error: str | None

    @classmethod
    def of(cls, instruction: Instruction) -> From:
        """Take a FROM apart."""
        text = instruction.text.value
        flags, after = split_flags(text, instruction.arguments)
        platform = next(((flag.start, flag.end) for flag in flags if flag.name == "platform"), None)
        words = plain_words(text, after)
        if not words:
            return cls(None, None, platform, "FROM names no image")
        name, error = _stage_name([text[a:b] for a, b in words[1:]])
        return cls(words[0], name, platform, error)


def _stage_name(rest: list[bytes]) -> tuple[str | None, str | None]:
    if not rest:
        return None, None
    if len(rest) != 2 or rest[0].upper() != b"AS":
        return None, "BuildKit refuses this line: FROM takes an image, or an image AS a name"
    name = rest[1].decode(errors="replace").lower()
    if not _NAME.fullmatch(name):
        return None, f"BuildKit refuses this line: {name[:80]!r} is no name for a stage"
    return name, None
