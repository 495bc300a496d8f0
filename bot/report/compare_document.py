"""The JSON document of `refit compare`: bytes, seconds, and changes in percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import HealthState, Layer
from bot.model.vulnerability import ChangeKind, Finding, Severity
from bot.report.shapes import FindingShape
from bot.report.wire import finding


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LayerShape(_Shape):
    """One layer: what made it, its uncompressed bytes, and those that a registry stores."""

    instruction: str
    size: int
    pushed_size: int | None


class PackageShape(_Shape):
    """A package that differs; a version is null where the image does not have it."""

    name: str
    path: str = Field(description="file that lists it; empty for the distribution's packages")
    kind: ChangeKind
    before: str | None
    after: str | None


class HiddenShape(_Shape):
    """A finding that the ignore file or a VEX document hid."""

    id: str
    package: str
    status: str = Field(description="ignored, or VEX's word")


class ImageShape(_Shape):
    """One image; null where nothing measured it."""

    name: str
    how: str
    size: int | None = Field(description="unpacked bytes")
    pushed_size: int | None = Field(description="bytes as a registry stores it")
    layers: int
    layer_list: list[LayerShape] | None = Field(description="from the bottom; null where none was looked at")
    packages: int
    build_seconds: float | None
    package_size: int | None = Field(description="bytes of the files that OS packages own")
    wasted: int | None = Field(description="bytes overwritten or removed later, as dive counts them")
    efficiency: float | None = Field(description="0 to 1, as dive counts it")
    vulnerabilities: dict[Severity, int] | None = Field(description="null where the distribution is unknown")
    hidden: list[HiddenShape] = Field(description="what the ignore file or VEX left out of the counts")
    health: HealthState | None


class ChangeShape(_Shape):
    """From the first to the second in percent; null where one is not known, or the first is 0."""

    size: float | None
    pushed_size: float | None
    build_seconds: float | None
    layers: float | None
    packages: float | None
    vulnerabilities: float | None


class CompareDocument(_Shape):
    """Two images side by side."""

    platform: str
    before: ImageShape
    after: ImageShape
    change: ChangeShape
    fixed: list[FindingShape] = Field(description="in the first only")
    introduced: list[FindingShape] = Field(description="in the second only")
    remaining: list[FindingShape] = Field(description="in both")
    packages: dict[ChangeKind, int] | None = Field(description="how many differ, and how; null: unknown")
    changed_packages: list[PackageShape] = Field(description="those that differ, by name")
    seconds: float
    notes: list[str]


def document(result: ImageComparison) -> dict[str, Any]:
    """The document of `refit compare`."""
    before, after, comparison = result.before, result.after, result.comparison
    same = (*comparison.remaining, *comparison.moved) if comparison else ()
    changes = comparison.packages if comparison else ()
    kinds = {kind: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    shape = CompareDocument(
        platform=str(result.platform),
        before=_image(before),
        after=_image(after),
        change=_change(before, after),
        fixed=_findings(comparison.fixed if comparison else (), result),
        introduced=_findings(comparison.introduced if comparison else (), result),
        remaining=_findings(same, result),
        packages=kinds if comparison else None,
        changed_packages=[
            PackageShape(name=one.name, path=one.path, kind=one.kind, before=one.before, after=one.after)
            for one in changes
        ],
        seconds=round(result.seconds, 3),
        notes=list(result.notes),
    )
    return shape.model_dump(mode="json", by_alias=True)


def _findings(found: Sequence[Finding], result: ImageComparison) -> list[FindingShape]:
    """Causes are left out where they mean nothing."""
    return [finding(one if result.caused else replace(one, cause=None)) for one in found]


def _image(facts: ImageFacts) -> ImageShape:
    build = facts.build
    waste = build.waste if build else None
    return ImageShape(
        name=facts.name,
        how=facts.how,
        size=facts.size,
        pushed_size=facts.pushed_size,
        layers=facts.layers,
        layer_list=[_layer(one) for one in build.layers] if build else None,
        packages=len(facts.scan.packages),
        build_seconds=round(facts.build_seconds, 3) if facts.build_seconds is not None else None,
        package_size=build.package_size if build else None,
        wasted=waste.wasted if waste else None,
        efficiency=round(waste.efficiency, 4) if waste else None,
        vulnerabilities=facts.scan.counts() if facts.scan.supported else None,
        hidden=[HiddenShape(id=one.id, package=one.package, status=one.status) for one in facts.scan.ignored],
        health=facts.health.state if facts.health else None,
    )


def _layer(layer: Layer) -> LayerShape:
    return LayerShape(instruction=layer.instruction, size=layer.size, pushed_size=layer.pushed_size)


def _change(before: ImageFacts, after: ImageFacts) -> ChangeShape:
    return ChangeShape(
        size=_percent(before.size, after.size),
        pushed_size=_percent(before.pushed_size, after.pushed_size),
        build_seconds=_percent(before.build_seconds, after.build_seconds),
        layers=_percent(before.layers, after.layers),
        packages=_percent(len(before.scan.packages), len(after.scan.packages)),
        vulnerabilities=_percent(_known(before), _known(after)),
    )


def _known(facts: ImageFacts) -> int | None:
    return len(facts.scan.vulnerabilities) if facts.scan.supported else None


def _percent(before: float | None, after: float | None) -> float | None:
    return round((after - before) / before * 100, 1) if before and after is not None else None
