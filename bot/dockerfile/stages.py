"""Stages: who builds on whom, and what a moved base touches."""

from __future__ import annotations

from collections.abc import Mapping

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


def final_stage(data: bytes) -> str | None:
    """Return the stage that becomes the image, by name, or by index where it has none."""
    names = stage_names(data)
    return names[-1] if names else None


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
