"""What a .dockerignore leaves out of the build context.

moby/patternmatcher: patterns are anchored at the root, `**` crosses folders, the last match wins, `!` lets in
again, and what lies below a folder that is left out is left out too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

from bot.audit.dockerfile.view import Context

_MAX_LINES: Final = 2000
_MAX_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of one ignore file: (pattern, whether it lets in), in order.

    Attributes:
        file: The file itself; empty where there is none.
        rules: Its rules.
    """

    file: str
    rules: tuple[tuple[str, bool], ...] = ()

    @classmethod
    def of(cls, context: Context, dockerfile: str) -> Self:
        """The ignore file in force: the Dockerfile's own before the context's."""
        for name in (f"{dockerfile.rpartition('/')[2]}.dockerignore", ".dockerignore"):
            if name in context.texts:
                return cls(name, _rules(context.text(name)))
        return cls("")

    @property
    def only_lets_in(self) -> bool:
        """True where everything is left out but what is named."""
        return any(pattern in {"*", "**", "**/*"} for pattern, lets_in in self.rules if not lets_in)

    def leaves_out(self, path: str) -> bool:
        """Whether a path of the context does not reach the build."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        out = False
        for pattern, lets_in in self.rules:
            if out == lets_in and any(_compiled(pattern).fullmatch(prefix) for prefix in prefixes):
                out = not lets_in
        return out


def _rules(text: str) -> tuple[tuple[str, bool], ...]:
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines()[:_MAX_LINES])
    kept = (line for line in lines if line and not line.startswith("#") and len(line) <= _MAX_LENGTH)
    pairs = ((line.removeprefix("!").strip(), line.startswith("!")) for line in kept)
    return tuple((_cleaned(pattern), lets_in) for pattern, lets_in in pairs)


def _cleaned(pattern: str) -> str:
    return "/".join(part for part in pattern.split("/") if part not in {"", "."})


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    made = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(made.get(part, re.escape(part)) for part in parts), re.DOTALL)
