"""The variables that a FROM sees: BuildKit's own, and the ARGs before the first FROM.

BuildKit: frontend/dockerfile/dockerfile2llb/convert.go (`defaultArgs`, `metaArgs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from bot.dockerfile.comments import Pairs
from bot.dockerfile.expand import expand
from bot.dockerfile.glance import Plain
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.text import Text
from bot.dockerfile.values import BUILDKIT, UnresolvedError, Value
from bot.dockerfile.words import quoted_words
from bot.model.manifest import Platform
from bot.model.use import Segment

MAX_ARGS: Final = 1000


class Scope:
    """The global variables, filled in the order of the file.

    Args:
        args: The build arguments of the target; one wins over the default of its ARG.
        platform: What is built for; the builder is taken to be of the same platform.
        escape: The file's escape character.
    """

    def __init__(self, args: Mapping[str, Value], platform: Platform, escape: bytes = b"\\") -> None:
        self.args, self.dialect = args, BUILDKIT[escape]
        self.values: dict[str, Value] = dict(_platform_values(platform))
        self.unknown: dict[str, str] = {}
        self._count = 0
        for name in self.values.keys() & args.keys():
            self.values[name] = args[name]

    def declare(self, instruction: Instruction) -> None:
        """Take in an ARG instruction, which may declare several variables."""
        text = instruction.text
        for start, end in quoted_words(text.value, instruction.arguments, instruction.escape):
            self._count += 1
            if self._count > MAX_ARGS:
                return
            equals = text.value.find(b"=", start, end)
            name = text.value[start : end if equals < 0 else equals].decode(errors="replace")
            self._set(name, text, (equals + 1, end) if equals >= 0 else (), instruction.pragmas)

    def plain(self, one: Plain) -> None:
        """Take in an ARG with one variable and nothing to unquote."""
        self._count += 1
        if self._count > MAX_ARGS:
            return
        name, word = str(one.name), one.word
        if name in self.args or not word or "$" in word:
            text = Text.whole((word or "").encode(), one.start, one.line)
            self._set(name, text, () if word is None else (0, len(text.value)), one.pragmas)
            return
        self.unknown.pop(name, None)
        segment = Segment(word, one.start, one.start + len(word), one.line)
        self.values[name] = Value((segment,), one.pragmas)

    def _set(self, name: str, text: Text, default: tuple[int, int] | tuple[()], pairs: Pairs) -> None:
        """Give a variable its value: the build argument, else its default, which stands there in `text`."""
        if name in self.args:
            self.values[name] = self.args[name]
        elif default:
            self._default(name, text, default, pairs)

    def _default(self, name: str, text: Text, default: tuple[int, int], pairs: Pairs) -> None:
        self.unknown.pop(name, None)
        try:
            found = expand(text, *default, self.values, self.dialect)
        except UnresolvedError as error:
            self.values.pop(name, None)
            self.unknown[name] = f"the default of ARG {name} cannot be read: {error}"
            return
        inner = found.used.values()
        pragmas = pairs + tuple(pair for value in inner for pair in value.pragmas)
        origin = next((value.origin for value in inner if value.origin), "")
        by_platform = any(value.by_platform for value in inner)
        self.values[name] = Value(found.segments, pragmas, origin, by_platform)


@cache
def _platform_values(platform: Platform) -> Mapping[str, Value]:
    parts = {
        "PLATFORM": str(platform),
        "OS": platform.os,
        "OSVERSION": platform.os_version,
        "ARCH": platform.architecture,
        "VARIANT": platform.variant,
    }
    return {
        side + name: Value.outside(text, f"the platform ({side}{name})", by_platform=True)
        for side in ("TARGET", "BUILD")
        for name, text in parts.items()
    }
