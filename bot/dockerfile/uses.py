"""Find every place in a Dockerfile that names an image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bot.dockerfile.directives import Directives
from bot.dockerfile.expand import Dialect, Expanded, UnresolvedError, Value, expand
from bot.dockerfile.instructions import Instruction, instructions
from bot.dockerfile.naming import A_STAGE, Place, named, skipped
from bot.dockerfile.scope import Scope
from bot.dockerfile.stages import From
from bot.dockerfile.text import Text
from bot.dockerfile.words import Flag, split_flags, split_keyword
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64
from bot.model.use import Use, UseKind

MAX_USES: Final = 10_000
_KINDS: Final = {"COPY": UseKind.COPY_FROM, "ADD": UseKind.COPY_FROM, "RUN": UseKind.MOUNT_FROM}
_MOUNT_FROM: Final = re.compile(rb"(?:\A|,)\"?[Ff][Rr][Oo][Mm]=([^,\"]*)")
_INDEX: Final = re.compile(r"[+-]?[0-9]+")


def read(
    file: str, data: bytes, *, args: Mapping[str, str] | None = None, platform: Platform = LINUX_AMD64
) -> tuple[Use, ...]:
    """Return every place in a Dockerfile that names an image, in the order of the file.

    Stages, `scratch` and whatever cannot be known are listed too, as skipped with the reason.
    The grammar is that of BuildKit's Dockerfile frontend.

    Args:
        file: Path in the project, for the uses.
        data: The file's bytes; any bytes are read, in linear time.
        args: The build arguments of the target; one wins over the default of its ARG.
        platform: What is built for.
    """
    values = {name: Value.outside(text, f"the build argument {name}") for name, text in (args or {}).items()}
    return read_with(file, data, values, platform)


def read_with(file: str, data: bytes, args: Mapping[str, Value], platform: Platform) -> tuple[Use, ...]:
    """Read as `read` does, with build arguments that know where they stand."""
    reader = _Reader(file, Scope(args, platform))
    directives = Directives.of(data)
    found = list(reader.syntax(data, directives))
    for instruction in instructions(data, directives):
        found.extend(reader.read(instruction))
        if len(found) > MAX_USES:
            place = Place(file, instruction.line, UseKind.FROM)
            reason = f"the file names more than {MAX_USES} images; the rest is not read"
            return (*found[:MAX_USES], skipped(place, "", reason))
    return tuple(_marked_final(found, reader))


class _Reader:
    """What has been seen so far: variables and stages."""

    def __init__(self, file: str, scope: Scope) -> None:
        self.file, self.scope = file, scope
        self.stages: dict[str, int] = {}
        self.count = 0
        self.stage: str | None = None
        self.bases: list[int | None] = []
        self.late: list[tuple[int, str]] = []

    def syntax(self, data: bytes, directives: Directives) -> Iterator[Use]:
        if directives.syntax is None:
            return
        start, end = directives.syntax
        line = data.count(b"\n", 0, start) + 1
        word = Expanded(Text.whole(data).segments(start, end), {}, ())
        yield named(Place(self.file, line, UseKind.SYNTAX), word)

    def read(self, instruction: Instruction) -> Iterator[Use]:
        keyword = instruction.keyword
        if keyword == "ARG" and not self.count:
            self.scope.declare(instruction)
        elif keyword == "FROM":
            yield self.base(instruction)
        elif keyword in _KINDS:
            yield from self.flags(instruction, keyword, instruction.arguments, _KINDS[keyword])
        elif keyword == "ONBUILD":
            trigger, after = split_keyword(instruction.text.value, instruction.arguments)
            name = trigger.decode(errors="replace")
            if name in _KINDS:
                yield from self.flags(instruction, name, after, UseKind.ONBUILD)

    def base(self, instruction: Instruction) -> Use:
        parts = From.of(instruction)
        self.stage = parts.name or str(self.count)
        place = self.place(instruction, UseKind.FROM, self.platform(instruction, parts))
        use = self.base_of(instruction, parts, place)
        number = self.stages.get(use.text.lower()) if use.skipped == A_STAGE else None
        self.bases.append(number)
        if parts.name:
            self.stages[parts.name] = self.count
        self.count += 1
        return use

    def base_of(self, instruction: Instruction, parts: From, place: Place) -> Use:
        if parts.image is None or parts.error:
            shown = instruction.text.value[instruction.arguments :].decode(errors="replace").strip()
            return skipped(place, shown, parts.error or "")
        try:
            word = self.expand(instruction, *parts.image)
        except UnresolvedError as error:
            return skipped(place, _shown(instruction, *parts.image), str(error))
        if word.text.lower() in self.stages:
            return skipped(place, word.text, A_STAGE, word.segments)
        return named(place, word)

    def platform(self, instruction: Instruction, parts: From) -> str | None:
        if parts.platform is None:
            return None
        try:
            return self.expand(instruction, *parts.platform).text or None
        except UnresolvedError:
            return None

    def expand(self, instruction: Instruction, start: int, end: int) -> Expanded:
        word = expand(instruction.text, start, end, self.scope.values, Dialect(instruction.escape))
        for name in word.unset:
            if name in self.scope.unknown:
                raise UnresolvedError(self.scope.unknown[name])
        return word

    def flags(self, instruction: Instruction, keyword: str, after: int, kind: UseKind) -> Iterator[Use]:
        flags, _ = split_flags(instruction.text.value, after)
        for flag in flags:
            if keyword == "RUN" and flag.name == "mount":
                yield from self.mount(instruction, flag, kind)
            elif keyword != "RUN" and flag.name == "from" and flag.end > flag.start:
                yield self.other(instruction, flag.start, flag.end, kind, by_index=True)

    def mount(self, instruction: Instruction, flag: Flag, kind: UseKind) -> Iterator[Use]:
        value = instruction.text.value[flag.start : flag.end]
        for found in _MOUNT_FROM.finditer(value):
            start, end = found.span(1)
            if end > start:
                yield self.other(instruction, flag.start + start, flag.start + end, kind, by_index=False)

    def other(self, instruction: Instruction, start: int, end: int, kind: UseKind, *, by_index: bool) -> Use:
        place = self.place(instruction, kind)
        shown = _shown(instruction, start, end)
        if "$" in shown:
            return skipped(place, shown, "BuildKit expands no variable here: name a stage instead")
        word = self.unquoted(instruction, start, end)
        if word is None:
            return skipped(place, shown, "its quotes do not match")
        if _INDEX.fullmatch(word.text):
            return skipped(place, word.text, self.index(int(word.text), by_index=by_index), word.segments)
        if word.text.lower() in self.stages:
            return skipped(place, word.text, A_STAGE, word.segments)
        return named(place, word)

    def unquoted(self, instruction: Instruction, start: int, end: int) -> Expanded | None:
        try:
            return expand(instruction.text, start, end, {}, Dialect())
        except UnresolvedError:
            return None

    def index(self, number: int, *, by_index: bool) -> str:
        if not by_index:
            return "a mount names no stage by its index"
        return A_STAGE if 0 <= number < self.count else f"there is no stage {number} so far"

    def place(self, instruction: Instruction, kind: UseKind, platform: str | None = None) -> Place:
        return Place(self.file, instruction.line, kind, self.stage, platform, instruction.pragmas)


def _shown(instruction: Instruction, start: int, end: int) -> str:
    return instruction.text.value[start:end].decode(errors="replace")


def _marked_final(found: list[Use], reader: _Reader) -> list[Use]:
    """Mark the FROM of the last stage, and the one that it comes to stand on."""
    froms = [at for at, use in enumerate(found) if use.kind is UseKind.FROM]
    stage = len(froms) - 1 if froms else None
    while stage is not None:
        found[froms[stage]] = replace(found[froms[stage]], final=True)
        stage = reader.bases[stage]
    return found
