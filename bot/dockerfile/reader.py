"""Read the uses of a Dockerfile, one instruction after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from bot.dockerfile.base import From
from bot.dockerfile.directives import Directives
from bot.dockerfile.expand import expand
from bot.dockerfile.glance import Plain
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.naming import A_STAGE, NO_INDEX, NO_STAGE, Place, named, skipped, whole
from bot.dockerfile.scope import Scope
from bot.dockerfile.text import Text
from bot.dockerfile.values import BUILDKIT, Expanded, UnresolvedError
from bot.dockerfile.words import Flag, split_flags, split_keyword
from bot.model.use import Use, UseKind

_KINDS: Final = {"COPY": UseKind.COPY_FROM, "ADD": UseKind.COPY_FROM, "RUN": UseKind.MOUNT_FROM}
_MOUNT_FROM: Final = re.compile(rb"(?:\A|,)\"?[Ff][Rr][Oo][Mm]=([^,\"]*)")
_INDEX: Final = re.compile(r"[+-]?[0-9]+")
_MOST_DIGITS: Final = 9


class Word(NamedTuple):
    """The bytes of a text from `start` to `end`."""

    text: Text
    start: int
    end: int

    @classmethod
    def of(cls, text: str, offset: int = 0, line: int = 0) -> Self:
        """A word that stands in the file as it is."""
        value = text.encode()
        return cls(Text.whole(value, offset, line), 0, len(value))


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
        text = data[start:end].decode(errors="replace")
        yield whole(Place(self.file, line, UseKind.SYNTAX), text, start)

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

    def plain(self, one: Plain) -> Use | None:
        """Return the use of an instruction with nothing to unquote; an ARG has none."""
        if one.keyword == "COPY":
            return self._plain_source(one)
        if one.keyword == "FROM":
            return self._plain_base(one)
        if not self.names:
            self.scope.plain(one)
        return None

    def _plain_base(self, one: Plain) -> Use:
        self.names.append(one.name or str(len(self.names)))
        platform = self._platform(Word.of(one.platform)) if one.platform else None
        place = Place(self.file, one.line, UseKind.FROM, self.names[-1], platform, one.pragmas)
        text = str(one.word)
        if "$" in text:
            return self._based(self._image(place, Word.of(text, one.start, one.line)), one.name)
        reason = A_STAGE if text.lower() in self.stages else None
        return self._based(whole(place, text, one.start, reason), one.name)

    def _plain_source(self, one: Plain) -> Use:
        place = Place(self.file, one.line, UseKind.COPY_FROM, self.stage, None, one.pragmas)
        word = str(one.word)
        if self.names:
            self.links.append((len(self.names) - 1, word, True))
        known = word.lower() in self.stages
        return whole(place, word, one.start, A_STAGE if known else NO_STAGE if word.isdigit() else None)

    def _base(self, instruction: Instruction) -> Use:
        parts = From.of(instruction)
        self.names.append(parts.name or str(len(self.names)))
        platform = self._platform(Word(instruction.text, *parts.platform)) if parts.platform else None
        place = self._place(instruction, UseKind.FROM, platform)
        if parts.image is None or parts.error:
            shown = instruction.text.value[instruction.arguments :].decode(errors="replace").strip()
            return self._based(skipped(place, shown, parts.error or ""), parts.name)
        return self._based(self._image(place, Word(instruction.text, *parts.image)), parts.name)

    def _based(self, use: Use, name: str | None) -> Use:
        """Note what the stage that is being read is based on, and what it is called."""
        self.bases.append(self.stages.get(use.text.lower()) if use.skipped == A_STAGE else None)
        if name:
            self.stages[name] = len(self.names) - 1
        return use

    def _image(self, place: Place, word: Word) -> Use:
        try:
            found = self._expand(word)
        except UnresolvedError as error:
            return skipped(place, _shown(word), str(error))
        if found.text.lower() in self.stages:
            return skipped(place, found.text, A_STAGE, found.segments)
        return named(place, found)

    def _platform(self, word: Word) -> str | None:
        try:
            return self._expand(word).text or None
        except UnresolvedError:
            return None

    def _expand(self, word: Word) -> Expanded:
        found = expand(word.text, word.start, word.end, self.scope.values, self.scope.dialect)
        for name in found.unset:
            if name in self.scope.unknown:
                raise UnresolvedError(self.scope.unknown[name])
        return found

    def _flags(self, instruction: Instruction, keyword: str, after: int, kind: UseKind) -> Iterator[Use]:
        flags, _ = split_flags(instruction.text.value, after)
        for flag in flags:
            if keyword == "RUN" and flag.name == "mount":
                yield from self._mount(instruction, flag, kind)
            elif keyword != "RUN" and flag.name == "from" and flag.end > flag.start:
                place = self._place(instruction, kind)
                yield self._other(place, Word(instruction.text, flag.start, flag.end), by_index=True)

    def _mount(self, instruction: Instruction, flag: Flag, kind: UseKind) -> Iterator[Use]:
        for found in _MOUNT_FROM.finditer(instruction.text.value[flag.start : flag.end]):
            start, end = found.span(1)
            if end > start:
                word = Word(instruction.text, flag.start + start, flag.start + end)
                yield self._other(self._place(instruction, kind), word, by_index=False)

    def _other(self, place: Place, word: Word, *, by_index: bool) -> Use:
        shown = _shown(word)
        if "$" in shown:
            segments = word.text.segments(word.start, word.end)
            return skipped(place, shown, "BuildKit expands no variable here: name a stage instead", segments)
        try:
            found = expand(word.text, word.start, word.end, {}, BUILDKIT[b"\\"])
        except UnresolvedError:
            return skipped(place, shown, "its quotes do not match")
        if place.kind is not UseKind.ONBUILD and self.names:
            self.links.append((len(self.names) - 1, found.text, by_index))
        if _INDEX.fullmatch(found.text):
            # Which stages there are is known at the end of the file only.
            return skipped(place, found.text, NO_STAGE if by_index else NO_INDEX, found.segments)
        return named(place, found)

    def resolve(self, name: str, *, by_index: bool) -> int | None:
        """Return the index of the stage that a `--from` means, or None where it means no stage."""
        if by_index and _INDEX.fullmatch(name):
            number = int(name[:_MOST_DIGITS])
            return number if 0 <= number < len(self.names) else None
        return self.stages.get(name.lower())

    def _place(self, instruction: Instruction, kind: UseKind, platform: str | None = None) -> Place:
        return Place(self.file, instruction.line, kind, self.stage, platform, instruction.pragmas)


def _shown(word: Word) -> str:
    return word.text.value[word.start : word.end].decode(errors="replace")
