"""Variables and their values, and what an expanded word is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.dockerfile.comments import Pairs
from bot.model.use import Segment


class UnresolvedError(Exception):
    """A word whose text cannot be known; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable.

    Attributes:
        segments: Its text, and where that stands.
        pragmas: What the comments above its declaration say to Refit.
        origin: Where it comes from if not from the file, in words: `the build argument TAG`.
        by_platform: True where another platform has another value.
    """

    segments: tuple[Segment, ...]
    pragmas: Pairs = ()
    origin: str = ""
    by_platform: bool = False

    @property
    def text(self) -> str:
        """The value itself."""
        return "".join(segment.text for segment in self.segments)

    @classmethod
    def outside(cls, text: str, origin: str, *, by_platform: bool = False) -> Value:
        """A value that the file does not hold."""
        return cls((Segment(text, -1, -1, 0),), origin=origin, by_platform=by_platform)


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    r"""How a kind of file writes variables; there are few of them, and each is made once.

    Attributes:
        escape: The escape character, or empty where there is none.
        quotes: True where quotes are taken away.
        strict: True where a variable that is not set makes the word unknown (compose files, whose
            variables come from the environment); BuildKit puts an empty text.
    """

    escape: bytes = b"\\"
    quotes: bool = True
    strict: bool = False


BUILDKIT: Final = {escape: Dialect(escape) for escape in (b"\\", b"`")}
"""The dialects of Dockerfiles, by their escape character."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """An expanded word.

    Attributes:
        segments: The text, and where it stands.
        used: The variables that were put in, by name.
        unset: The variables that had no value and no default.
    """

    segments: tuple[Segment, ...]
    used: Mapping[str, Value]
    unset: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text itself."""
        return "".join(segment.text for segment in self.segments)
