"""Measurements over time: a target's series, and the baseline its size is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model.evidence import SideName


@dataclass(frozen=True, slots=True)
class Baseline:
    """The size a target is compared with.

    Attributes:
        project: Its project.
        target: Its name.
        platform: What it was measured for.
        size: Unpacked bytes.
        digest: Base digest it was measured on.
        at: When it became the baseline.
    """

    project: str
    target: str
    platform: str
    size: int
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Measurement:
    """One point of a target's time series; bytes, seconds, counts.

    Attributes:
        project: Its project.
        target: Its name.
        platform: What it was measured for.
        at: When.
        cycle: Id of the cycle that measured it.
        base: Base image with digest.
        size: Unpacked bytes, or None.
        pushed_size: Bytes a registry stores, or None.
        layers: Number of layers.
        build_seconds: Cold build, or None.
        critical: Vulnerabilities of severity CRITICAL …
        high: … HIGH
        medium: … MEDIUM
        low: … LOW
        applied: True once the default branch holds this base.
        base_size: Unpacked bytes of the base image's layers, or None.
        own_size: Unpacked bytes of the layers on top, or None.
        package_size: Bytes of what OS packages own, or None.
        wasted: Bytes that later layers overwrote or removed, or None.
        efficiency: As dive counts it, 0 to 1, or None.
        pull_seconds: Time spent on getting images, or None.
        pull_bytes: Bytes that came from registries, or None.
        cache_hit_rate: 0 to 1, or None.
        health_seconds: From start to first success, or None where it was not healthy.
        evidence: Key of the evidence that measured it; empty where it is not known.
        side: Which side of that evidence.
    """

    project: str
    target: str
    platform: str
    at: datetime
    cycle: str
    base: str
    size: int | None
    pushed_size: int | None
    layers: int
    build_seconds: float | None
    critical: int
    high: int
    medium: int
    low: int
    applied: bool
    base_size: int | None = None
    own_size: int | None = None
    package_size: int | None = None
    wasted: int | None = None
    efficiency: float | None = None
    pull_seconds: float | None = None
    pull_bytes: int | None = None
    cache_hit_rate: float | None = None
    health_seconds: float | None = None
    evidence: str = ""
    side: SideName = SideName.AFTER
