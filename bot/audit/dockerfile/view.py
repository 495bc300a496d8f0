"""A Dockerfile as its rules see it: stages, and in each the steps with what is known when they run.

The grammar is `bot.dockerfile`'s; this adds what only an audit asks for: variables inside stages (BuildKit:
`dispatch` in frontend/dockerfile/dockerfile2llb/convert.go), the commands of RUN, and what is inherited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from bot.audit.dockerfile.reading import Reading
from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.dockerfile.directives import Directives
from bot.dockerfile.instructions import Instruction, instructions
from bot.dockerfile.reader import Reader
from bot.dockerfile.uses import outside, read_with
from bot.errors import UsageError
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64
from bot.model.use import Use, UseKind

MAX_STEPS: Final = 5000
MAX_READ: Final = 20


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a build context.

    Attributes:
        paths: Every path in it, with `/`; empty where it is not known.
        texts: The bytes of its files, read when asked for.
    """

    paths: frozenset[str] = frozenset()
    texts: Mapping[str, bytes] = field(default_factory=dict, hash=False)

    def text(self, path: str) -> str:
        """A file as text; empty where there is none."""
        return self.texts.get(path, b"").decode(errors="replace")

    def named(self, pattern: re.Pattern[str]) -> list[str]:
        """The texts of the files whose whole path matches, the first few of them."""
        return [self.text(path) for path in islice(filter(pattern.fullmatch, sorted(self.paths)), MAX_READ)]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        index: From 0.
        name: Its name, or its index as text.
        use: What its FROM names.
        line: 1-based line of the FROM.
        base: Index of the stage that it stands on, or None for an image.
        steps: Its steps after the FROM, in order.
    """

    index: int
    name: str
    use: Use
    line: int
    base: int | None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile, read.

    Attributes:
        file: Its path.
        uses: Every image it names.
        stages: In order; never empty.
        final: The stage that becomes the image.
        context: What is known of its build context.
        sources: For each stage those that it copies or mounts from, by index.
    """

    file: str
    uses: tuple[Use, ...]
    stages: tuple[Stage, ...]
    final: Stage
    context: Context
    sources: Mapping[int, frozenset[int]] = field(hash=False)

    def chain(self, stage: Stage) -> tuple[Stage, ...]:
        """The stage and all it stands on, the lowest first."""
        found = [stage]
        while found[0].base is not None:
            found.insert(0, self.stages[found[0].base])
        return tuple(found)

    def steps(self, stage: Stage) -> Iterator[Step]:
        """The steps that make a stage's files, those inherited first."""
        for one in self.chain(stage):
            yield from one.steps

    def root(self, stage: Stage) -> Stage:
        """The lowest stage of a chain: the one whose FROM names an image."""
        return self.chain(stage)[0]

    def commands(self, stage: Stage) -> Iterator[tuple[Step, Command]]:
        """Every command that RUNs of a stage and of those below it run."""
        for step in self.steps(stage):
            for command in step.commands:
                yield step, command

    def named(self, name: str) -> Stage | None:
        """The stage that a `--from` means; None where it means an image."""
        wanted = name.lower()
        return next((one for one in self.stages if wanted in {one.name, str(one.index)}), None)

    def shipped(self) -> tuple[Stage, ...]:
        """The stages whose files can reach the image: the final one, and what it stands on or copies from."""
        reached, new = set[int](), {self.final.index}
        while new:
            reached |= new
            below = {stage.base for at in new for stage in (self.stages[at],) if stage.base is not None}
            new = (below | {source for at in new for source in self.sources.get(at, ())}) - reached
        return tuple(self.stages[at] for at in sorted(reached))


def read(  # noqa: PLR0913 - a target's options, by keyword
    file: str,
    data: bytes,
    context: Context,
    *,
    args: Mapping[str, str] | None = None,
    stage: str | None = None,
    platform: Platform = LINUX_AMD64,
) -> Dockerfile | None:
    """Read a Dockerfile; None where it has no stage at all.

    Raises:
        UsageError: The target's stage is not there, or it has more steps than anybody writes.
    """
    uses, reader = read_with(file, data, outside(args or {}), platform)
    stages = _stages(data, uses, reader, Reading(reader.scope.values, outside(args or {})))
    if not stages:
        return None
    return Dockerfile(file, uses, stages, _final(file, stages, stage), context, _sources(reader))


def _stages(data: bytes, uses: tuple[Use, ...], reader: Reader, reading: Reading) -> tuple[Stage, ...]:
    froms = [use for use in uses if use.kind is UseKind.FROM]
    found: list[Stage] = []
    directives = Directives.of(data)
    for instruction in _bounded(instructions(data, directives)):
        if instruction.keyword == "FROM" and len(found) < min(len(froms), len(reader.bases)):
            at = len(found)
            found.append(Stage(at, reader.names[at], froms[at], instruction.line, reader.bases[at]))
            reading.enter(at, reader.bases[at])
        elif found:
            step = reading.step(data, instruction)
            found[-1] = replace(found[-1], steps=(*found[-1].steps, step))
    return tuple(found)


def _bounded(found: Iterator[Instruction]) -> Iterator[Instruction]:
    for number, instruction in enumerate(found):
        if number >= MAX_STEPS:
            raise UsageError(f"it has more than {MAX_STEPS} instructions", hint="Is it a Dockerfile?")
        yield instruction


def _final(file: str, stages: tuple[Stage, ...], wanted: str | None) -> Stage:
    if wanted is None:
        return stages[-1]
    for stage in reversed(stages):
        if stage.name == wanted.lower() or str(stage.index) == wanted:
            return stage
    raise UsageError(f"{file} has no stage {wanted!r}", hint="Correct the target's `stage`.")


def _sources(reader: Reader) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for at, name, by_index in reader.links:
        source = reader.resolve(name, by_index=by_index)
        if source is not None:
            found.setdefault(at, set()).add(source)
    return {at: frozenset(sources) for at, sources in found.items()}
