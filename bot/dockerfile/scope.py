"""The variables that a FROM sees: BuildKit's own, and the ARGs before the first FROM.

BuildKit: frontend/dockerfile/dockerfile2llb/convert.go (`defaultArgs`, `metaArgs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from bot.dockerfile.expand import expand
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.values import Dialect, UnresolvedError, Value
from bot.dockerfile.words import quoted_words
from bot.model.manifest import Platform

MAX_ARGS: Final = 1000


class Scope:
    """The global variables, filled in the order of the file.

    Args:
        args: The build arguments of the target; one wins over the default of its ARG.
        platform: What is built for; the builder is taken to be of the same platform.
    """

    def __init__(self, args: Mapping[str, Value], platform: Platform) -> None:
        self.args = args
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
            self._set(name, instruction, equals + 1 if equals >= 0 else -1, end)

    def _set(self, name: str, instruction: Instruction, start: int, end: int) -> None:
        if name in self.args:
            self.values[name] = self.args[name]
        elif start >= 0:
            self._default(name, instruction, start, end)

    def _default(self, name: str, instruction: Instruction, start: int, end: int) -> None:
        self.unknown.pop(name, None)
        try:
            found = expand(instruction.text, start, end, self.values, Dialect(instruction.escape))
        except UnresolvedError as error:
            self.values.pop(name, None)
            self.unknown[name] = f"the default of ARG {name} cannot be read: {error}"
            return
        inner = found.used.values()
        pragmas = instruction.pragmas + tuple(pair for value in inner for pair in value.pragmas)
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
