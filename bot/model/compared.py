"""Two images side by side: what `refit compare` measured."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.evidence import Build, Health
from bot.model.manifest import Platform
from bot.model.vulnerability import Comparison, Scan


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image as it was measured; bytes and seconds.

    Attributes:
        name: What a person asked for: a reference, a file.
        how: Where it came from, in words: `built`, `from its registry`, `from an archive`.
        scan: Its scan.
        size: Unpacked bytes, or None where nothing counted them.
        pushed_size: Bytes as a registry stores it, or None.
        layers: Number of layers.
        build: What is in it, where it was here to be looked into; else None.
        build_seconds: How long a cold build took, or None where it was not built.
        health: How it did when started, or None.
    """

    name: str
    how: str
    scan: Scan
    size: int | None
    pushed_size: int | None
    layers: int
    build: Build | None = None
    build_seconds: float | None = None
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class ImageComparison:
    """Two images, measured at the same time with the same scanner and database.

    Attributes:
        before: The first.
        after: The second.
        platform: What both are for.
        comparison: How their scans differ; None where one of them knows too little.
        seconds: How long it took.
        notes: Sentences about how far the measurement went.
        caused: True where the causes in `comparison` mean something: both are one target on two bases.
    """

    before: ImageFacts
    after: ImageFacts
    platform: Platform
    comparison: Comparison | None
    seconds: float
    notes: tuple[str, ...] = ()
    caused: bool = False
