"""Where an image grew between two measurements, by the evidence that measured them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.cycle.layer_growth import LARGEST, paired
from bot.model.evidence import Layer, PathSize, Side
from bot.model.measurement import Measurement
from bot.model.vulnerability import Package
from bot.ports import Store
from bot.report.size.values import Grown, Growth

_MOST: Final = 5
_NOTABLE: Final = 10_000  # bytes; less is noise of time stamps and caches


def growth(store: Store, before: Measurement, after: Measurement) -> Growth | None:
    """Which layers, paths and packages grew; None where either side's evidence is no longer kept."""
    then, now = _side(store, before), _side(store, after)
    if then is None or now is None or then.build is None or now.build is None:
        return None
    return Growth(
        layers=_grown(_layers(then.build.layers, now.build.layers)),
        paths=_grown(_paths(then.build.largest, now.build.largest)),
        packages=_packages(then.scan.packages, now.scan.packages),
    )


def _side(store: Store, measurement: Measurement) -> Side | None:
    evidence = store.evidence(measurement.evidence) if measurement.evidence else None
    return evidence.side(measurement.side) if evidence is not None else None


def _layers(before: Sequence[Layer], after: Sequence[Layer]) -> Iterable[Grown]:
    pairs = paired(before, after)
    return (Grown(new.instruction, old.size if old else 0, new.size) for old, new in pairs if new is not None)


def _paths(before: Sequence[PathSize], after: Sequence[PathSize]) -> Iterable[Grown]:
    """Only the largest are kept: what is missing before was at most as large as the smallest of them."""
    known = {one.path: one.size for one in before}
    unknown = min(known.values()) if len(before) >= LARGEST else 0
    return (Grown(one.path, known.get(one.path, unknown), one.size) for one in after)


def _grown(gains: Iterable[Grown]) -> tuple[Grown, ...]:
    notable = sorted((one for one in gains if one.more >= _NOTABLE), key=lambda one: (-one.more, one.name))
    return tuple(notable[:_MOST])


def _packages(before: Iterable[Package], after: Iterable[Package]) -> tuple[str, ...]:
    """Packages that came: what they bring is in the layers above; the first of them by name."""
    known = {(package.kind, package.name) for package in before}
    new = sorted({f"{p.name} {p.version}" for p in after if (p.kind, p.name) not in known})
    more = [f"{len(new) - _MOST} more"] if len(new) > _MOST else []
    return (*new[:_MOST], *more)
