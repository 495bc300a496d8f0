"""Where an image grew between two measurements, by the evidence that measured them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bot.model.evidence import Layer, Measurement, PathSize, Side
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
        layers=_grown(_layers(then.build.layers), _layers(now.build.layers)),
        paths=_grown(_paths(then.build.largest), _paths(now.build.largest)),
        packages=_packages(then.scan.packages, now.scan.packages),
    )


def _side(store: Store, measurement: Measurement) -> Side | None:
    evidence = store.evidence(measurement.evidence) if measurement.evidence else None
    if evidence is None:
        return None
    return evidence.before if measurement.side == "before" else evidence.after


def _layers(layers: Sequence[Layer]) -> Mapping[str, int]:
    """Bytes by instruction: the same instruction makes the same layer's successor."""
    sizes: Counter[str] = Counter()
    for layer in layers:
        sizes[layer.instruction] += layer.size
    return sizes


def _paths(largest: Iterable[PathSize]) -> Mapping[str, int]:
    return {one.path: one.size for one in largest}


def _grown(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Grown, ...]:
    gains = [Grown(name, before.get(name, 0), size) for name, size in after.items()]
    notable = sorted((one for one in gains if one.more >= _NOTABLE), key=lambda one: (-one.more, one.name))
    return tuple(notable[:_MOST])


def _packages(before: Iterable[Package], after: Iterable[Package]) -> tuple[str, ...]:
    """Packages that came: what they bring is in the layers above; the first of them by name."""
    known = {(package.kind, package.name) for package in before}
    new = sorted({f"{p.name} {p.version}" for p in after if (p.kind, p.name) not in known})
    more = [f"{len(new) - _MOST} more"] if len(new) > _MOST else []
    return (*new[:_MOST], *more)
