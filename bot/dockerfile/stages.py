"""Stages: who builds on whom, and what a moved base touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.dockerfile.base import From
from bot.dockerfile.instructions import Instruction, instructions
from bot.dockerfile.reader import Reader
from bot.dockerfile.uses import outside, read_with
from bot.model.manifest import Platform
from bot.model.target import LINUX_AMD64
from bot.model.use import Use, UseKind


def touched(
    data: bytes, use: Use, *, args: Mapping[str, str] | None = None, platform: Platform = LINUX_AMD64
) -> tuple[str, ...]:
    """Return the stages that a change of `use` reaches, by name, or by index where they have none.

    That is the stage of the use and every stage that is based on such a stage, or copies or mounts
    from one. What only copies counts too: with other files copied in, BuildKit runs the steps that
    follow again, so with a cache they would be fresh on one side of a comparison and old on the
    other. A change of `# syntax=` reaches every stage.
    """
    reader = read_with(use.file, data, outside(args or {}), platform)[1]
    names = reader.names
    reached = {at for at, name in enumerate(names) if name == use.stage or use.kind is UseKind.SYNTAX}
    below = _below(reader)
    new = set(reached)
    while new:
        new = {at for stage in new for at in below.get(stage, ())} - reached
        reached |= new
    return tuple(names[at] for at in sorted(reached))


def with_names(data: bytes, stages: Sequence[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return the file with a name for each of some stages, and their names in the same order.

    Only a stage with a name can be built without cache while others keep theirs, so one that has none gets
    the name under which BuildKit shows it: `stage-2` is the third. The image does not depend on it.

    Args:
        data: The file's bytes.
        stages: As `touched` tells them, by name, or by index where they have none.

    Returns:
        The file as it is where every stage of it is meant, or where such a name stands in it already.
    """
    missing = {stage: f"stage-{stage}" for stage in stages if stage.isdigit()}
    taken = any(name.encode() in data.lower() for name in missing.values())
    if taken or len(stages) == len(stage_names(data)):
        return data, tuple(stages)
    froms = [one for one in instructions(data) if one.keyword == "FROM"]
    places = {_after_image(froms[int(stage)]): name for stage, name in missing.items()}
    named = bytearray(data)
    for at, name in sorted(places.items(), reverse=True):
        named[at:at] = f" AS {name}".encode()
    return bytes(named), tuple(missing.get(stage, stage) for stage in stages)


def _after_image(instruction: Instruction) -> int:
    """The offset in the file after the image of a FROM; after its last word where it has none."""
    end = len(instruction.text.value.rstrip())
    start, end = From.of(instruction).image or (end - 1, end)
    return instruction.text.segments(start, end)[-1].end


def stage_names(data: bytes) -> list[str]:
    """Return the stages in their order, by name, or by index where they have none."""
    return read_with("", data, {}, LINUX_AMD64)[1].names


def _below(reader: Reader) -> dict[int, set[int]]:
    """For each stage, those that are built from it directly."""
    below: dict[int, set[int]] = {}
    for at, base in enumerate(reader.bases):
        if base is not None:
            below.setdefault(base, set()).add(at)
    for at, name, by_index in reader.links:
        source = reader.resolve(name, by_index=by_index)
        if source is not None:
            below.setdefault(source, set()).add(at)
    return below
