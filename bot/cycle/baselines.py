"""Baselines and the time series: what the default branch holds now, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.cycle.discover import Found
from bot.cycle.parts import Parts
from bot.model.evidence import Build, Evidence, Side, SideName
from bot.model.manifest import Platform
from bot.model.measurement import Baseline, Measurement
from bot.model.run import Cycle, Planned
from bot.model.target import Target
from bot.model.vulnerability import Scan, Severity

_LOOK_BACK = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Built:
    """A target built from what its branch holds now; `base` is the image of its final stage, with digest."""

    target: Target
    platform: Platform
    base: str
    build: Build
    scan: Scan


def settle(found: Sequence[Found], parts: Parts) -> None:
    """Move baselines to what the default branch holds, whoever merged it and however.

    A measured update counts as applied once the file itself names its digest.
    """
    now = parts.clock.now()
    waiting = [
        m for m in parts.store.measurements(now - _LOOK_BACK, now + timedelta(days=1)) if not m.applied
    ]
    held = {
        (one.project.name, one.target.name, str(one.use.reference))
        for one in found
        if one.target is not None and one.use.reference is not None
    }
    for measurement in waiting:
        if (measurement.project, measurement.target, measurement.base) in held:
            _apply(measurement, parts, now)


def _apply(measurement: Measurement, parts: Parts, now: datetime) -> None:
    if measurement.size is not None:
        parts.store.save_baseline(
            Baseline(
                measurement.project,
                measurement.target,
                measurement.platform,
                measurement.size,
                measurement.base,
                now,
            )
        )
    parts.store.save_measurement(replace(measurement, applied=True))


def record(planned: Planned, evidence: Sequence[Evidence], cycle: Cycle, parts: Parts) -> None:
    """Add both sides to the time series; the first measured *before* becomes the baseline.

    Done before anything is published, so that a pull request says the same in every run.
    """
    if planned.target is None:
        return
    for one in evidence:
        if one.before is not None and one.before.build is not None:
            held = str(planned.use.reference)
            point = _point(planned, one, one.before, cycle, held, applied=True)
            parts.store.save_measurement(point)
            if parts.store.baseline(point.project, point.target, point.platform) is None:
                _apply(point, parts, one.started)
        if one.after.build is not None:
            proposed = str(planned.update.to)
            parts.store.save_measurement(_point(planned, one, one.after, cycle, proposed, applied=False))


def record_rescan(built: Built, parts: Parts) -> None:
    """Add a target that was built afresh, though no update was proved, to the time series.

    Nothing tells which of its layers are the base's: those sizes stay unknown.
    """
    now, counts = parts.clock.now(), built.scan.counts()
    point = Measurement(
        project=built.target.project,
        target=built.target.name,
        platform=str(built.platform),
        at=now,
        cycle=f"rescan-{now:%Y-%m-%d}",
        base=built.base,
        size=built.build.size,
        pushed_size=built.build.pushed_size,
        layers=len(built.build.layers),
        build_seconds=built.build.seconds,
        critical=counts[Severity.CRITICAL],
        high=counts[Severity.HIGH],
        medium=counts[Severity.MEDIUM],
        low=counts[Severity.LOW],
        applied=True,
    )
    parts.store.save_measurement(_with_build(point, built.build))


def _point(  # noqa: PLR0913 - a value's fields
    planned: Planned, evidence: Evidence, side: Side, cycle: Cycle, base: str, *, applied: bool
) -> Measurement:
    counts = side.scan.counts()
    point = Measurement(
        project=planned.project.name,
        target=planned.subject,
        platform=str(evidence.platform),
        at=evidence.started,
        cycle=cycle.id,
        base=base,
        size=side.size,
        pushed_size=side.build.pushed_size if side.build else side.base_pushed_size,
        layers=len(side.build.layers) if side.build else 0,
        build_seconds=side.build.seconds if side.build else None,
        critical=counts[Severity.CRITICAL],
        high=counts[Severity.HIGH],
        medium=counts[Severity.MEDIUM],
        low=counts[Severity.LOW],
        applied=applied,
        health_seconds=side.health.seconds if side.health and side.health.good else None,
        evidence=evidence.key,
        side=SideName.BEFORE if side is evidence.before else SideName.AFTER,
    )
    return _with_build(point, side.build) if side.build else point


def _with_build(point: Measurement, build: Build) -> Measurement:
    """Add what only a build shows; a build whose base was not known has no split to tell."""
    told_apart = any(layer.base for layer in build.layers)
    return replace(
        point,
        base_size=build.base_size if told_apart else None,
        own_size=build.own_size if told_apart else None,
        package_size=build.package_size,
        wasted=build.waste.wasted if build.waste else None,
        efficiency=build.waste.efficiency if build.waste else None,
        pull_seconds=build.pull_seconds,
        pull_bytes=build.pull_bytes,
        cache_hit_rate=build.cache_hit_rate,
    )
