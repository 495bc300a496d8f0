"""Read the uses of a Dockerfile, one instruction after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.dockerfile.base import From
from bot.dockerfile.directives import Directives
from bot.dockerfile.expand import expand
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.naming import A_STAGE, NO_INDEX, NO_STAGE, Place, named, skipped
from bot.dockerfile.scope import Scope
from bot.dockerfile.text import Text
from bot.dockerfile.values import Dialect, Expanded, UnresolvedError
from bot.dockerfile.words import Flag, split_flags, split_keyword
from bot.model.use import Use, UseKind

_KINDS: Final = {"COPY": UseKind.COPY_FROM, "ADD": UseKind.COPY_FROM, "RUN": UseKind.MOUNT_FROM}
_MOUNT_FROM: Final = re.compile(rb"(?:\A|,)\"?[Ff][Rr][Oo][Mm]=([^,\"]*)")
_INDEX: Final = re.compile(r"[+-]?[0-9]+")
_MOST_DIGITS: Final = 9


class Reader:
    """Reads the uses of one file, and keeps what has been seen: variables and stages.

    Args:
        file: Path in the project, for the uses.
        scope: The variables.

    Attributes:
        names: The name of each stage, or its index as text.
        bases: For each stage the index of the stage that it is based on, or None.
        links: (stage, what it copies or mounts from, whether that may be an index).
    """

    def __init__(self, file: str, scope: Scope) -> None:
        self.file, self.scope = file, scope
        self.stages: dict[str, int] = {}
        self.names: list[str] = []
        self.bases: list[int | None] = []
        self.links: list[tuple[int, str, bool]] = []

    @property
    def stage(self) -> str | None:
        """The stage that is being read."""
        return self.names[-1] if self.names else None

    def syntax(self, data: bytes, directives: Directives) -> Iterator[Use]:
        """Yield the use of a `# syntax=` directive, if there is one."""
        if directives.syntax is None:
            return
        start, end = directives.syntax
        line = data.count(b"\n", 0, start) + 1
        word = Expanded(Text.whole(data[start:end], start, line).segments(0, end - start), {}, ())
        yield named(Place(self.file, line, UseKind.SYNTAX), word)

    def read(self, instruction: Instruction) -> Iterator[Use]:
        """Yield the uses of an instruction."""
        keyword = instruction.keyword
        if keyword == "ARG" and not self.names:
            self.scope.declare(instruction)
        elif keyword == "FROM":
            yield self._base(instruction)
        elif keyword in _KINDS:
            yield from self._flags(instruction, keyword, instruction.arguments, _KINDS[keyword])
        elif keyword == "ONBUILD":
            trigger, after = split_keyword(instruction.text.value, instruction.arguments)
            name = trigger.decode(errors="replace")
            if name in _KINDS:
                yield from self._flags(instruction, name, after, UseKind.ONBUILD)

    def _base(self, instruction: Instruction) -> Use:
        parts = From.of(instruction)
        self.names.append(parts.name or str(len(self.names)))
        place = self._place(instruction, UseKind.FROM, self._platform(instruction, parts))
        use = self._base_of(instruction, parts, place)
        self.bases.append(self.stages.get(use.text.lower()) if use.skipped == A_STAGE else None)
        if parts.name:
            self.stages[parts.name] = len(self.names) - 1
        return use

    def _base_of(self, instruction: Instruction, parts: From, place: Place) -> Use:
        if parts.image is None or parts.error:
            shown = instruction.text.value[instruction.arguments :].decode(errors="replace").strip()
            return skipped(place, shown, parts.error or "")
        try:
            word = self._expand(instruction, *parts.image)
        except UnresolvedError as error:
            return skipped(place, _shown(instruction, *parts.image), str(error))
        if word.text.lower() in self.stages:
            return skipped(place, word.text, A_STAGE, word.segments)
        return named(place, word)

    def _platform(self, instruction: Instruction, parts: From) -> str | None:
        if parts.platform is None:
            return None
        try:
            return self._expand(instruction, *parts.platform).text or None
        except UnresolvedError:
            return None

    def _expand(self, instruction: Instruction, start: int, end: int) -> Expanded:
        word = expand(instruction.text, start, end, self.scope.values, Dialect(instruction.escape))
        for name in word.unset:
            if name in self.scope.unknown:
                raise UnresolvedError(self.scope.unknown[name])
        return word

    def _flags(self, instruction: Instruction, keyword: str, after: int, kind: UseKind) -> Iterator[Use]:
        flags, _ = split_flags(instruction.text.value, after)
        for flag in flags:
            if keyword == "RUN" and flag.name == "mount":
                yield from self._mount(instruction, flag, kind)
            elif keyword != "RUN" and flag.name == "from" and flag.end > flag.start:
                yield self._other(instruction, flag.start, flag.end, kind, by_index=True)

    def _mount(self, instruction: Instruction, flag: Flag, kind: UseKind) -> Iterator[Use]:
        value = instruction.text.value[flag.start : flag.end]
        for found in _MOUNT_FROM.finditer(value):
            start, end = found.span(1)
            if end > start:
                yield self._other(instruction, flag.start + start, flag.start + end, kind, by_index=False)

    def _other(self, instruction: Instruction, start: int, end: int, kind: UseKind, *, by_index: bool) -> Use:
        place = self._place(instruction, kind)
        shown = _shown(instruction, start, end)
        if "$" in shown:
            segments = instruction.text.segments(start, end)
            return skipped(place, shown, "BuildKit expands no variable here: name a stage instead", segments)
        word = self._unquoted(instruction, start, end)
        if word is None:
            return skipped(place, shown, "its quotes do not match")
        if kind is not UseKind.ONBUILD and self.names:
            self.links.append((len(self.names) - 1, word.text, by_index))
        if _INDEX.fullmatch(word.text):
            # Which stages there are is known at the end of the file only.
            return skipped(place, word.text, NO_STAGE if by_index else NO_INDEX, word.segments)
        return named(place, word)

    def _unquoted(self, instruction: Instruction, start: int, end: int) -> Expanded | None:
        try:
            return expand(instruction.text, start, end, {}, Dialect())
        except UnresolvedError:
            return None

    def resolve(self, name: str, *, by_index: bool) -> int | None:
        """Return the index of the stage that a `--from` means, or None where it means no stage."""
        if by_index and _INDEX.fullmatch(name):
            number = int(name[:_MOST_DIGITS])
            return number if 0 <= number < len(self.names) else None
        return self.stages.get(name.lower())

    def _place(self, instruction: Instruction, kind: UseKind, platform: str | None = None) -> Place:
        return Place(self.file, instruction.line, kind, self.stage, platform, instruction.pragmas)


def _shown(instruction: Instruction, start: int, end: int) -> str:
    return instruction.text.value[start:end].decode(errors="replace")
