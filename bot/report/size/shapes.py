"""The shape of `refit report --format json`: bytes, seconds, shares from 0 to 1."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.model.finding import RuleSeverity
from bot.report.size.advice import advice
from bot.report.size.values import Point, SizeReport, TargetSize
from bot.report.size.wording import summary, todo_start


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class PointShape(_Shape):
    """One size in a history."""

    day: date
    size: int


class TrendShape(_Shape):
    """A measure at the first and the last measurement of the quarter; null where it was not taken."""

    first: float | None
    last: float | None


class GrownShape(_Shape):
    """A layer or path that grew."""

    name: str
    before: int = Field(description="bytes when the quarter began; 0 where it is new")
    after: int


class GrowthShape(_Shape):
    """Where an image grew."""

    layers: list[GrownShape]
    paths: list[GrownShape]
    packages: list[str]


class TargetShape(_Shape):
    """One target on one platform."""

    project: str
    target: str
    platform: str
    size: int
    change: int | None = Field(description="bytes gained over the quarter; null where it is new")
    baseline: int | None
    budget: int | None
    pushed_size: int | None
    layers: int
    wasted: int | None
    efficiency: float | None
    base: str
    base_made: datetime | None
    critical: int
    high: int
    medium: int
    low: int
    measured: datetime
    fresh: bool = Field(description="measured in this quarter")
    builds: TrendShape
    pulls: TrendShape
    cache: TrendShape
    growth: GrowthShape | None
    history: list[PointShape]


class GoneShape(_Shape):
    """A target that is no longer there."""

    project: str
    target: str
    platform: str
    size: int
    measured: datetime


class LinkShape(_Shape):
    """Something open, and where to read it."""

    text: str
    url: str


class AuditShape(_Shape):
    """One finding of the guide's audit."""

    rule: str
    severity: RuleSeverity
    subject: str
    line: int = Field(description="1-based; 0 for a file or image as a whole")
    message: str
    saves: int | None = Field(description="bytes that mending it takes off; null where that is not known")


class ReportDocument(_Shape):
    """The size report of one quarter."""

    quarter: str
    so_far: bool
    first: bool = Field(description="nothing was measured before this quarter: no trend yet")
    summary: str
    made: datetime
    todo: list[str]
    total: list[PointShape]
    targets: list[TargetShape]
    gone: list[GoneShape]
    updates: list[LinkShape]
    waiting: list[str]
    ignored: list[str]
    abandoned: list[str]
    unshipped: list[str]
    failed: list[str]
    audit: list[AuditShape]


def document(report: SizeReport) -> dict[str, Any]:
    """The report as one JSON document."""
    around = report.around
    made = ReportDocument(
        quarter=str(report.quarter),
        so_far=report.so_far,
        first=report.first,
        summary=summary(report),
        made=report.made,
        todo=[" ".join((todo_start(i), i.subject, i.after)).strip() for i in advice(report)],
        total=_points(report.total),
        targets=[_target(target) for target in report.targets],
        gone=[GoneShape(**_named(one.key), size=one.size, measured=one.at) for one in report.gone],
        updates=[LinkShape.model_validate(link) for link in around.updates],
        waiting=list(around.waiting),
        ignored=list(around.ignored),
        abandoned=list(around.abandoned),
        unshipped=list(around.unshipped),
        failed=list(around.failed),
        audit=[AuditShape.model_validate(one) for one in around.audit],
    )
    return made.model_dump(mode="json")


def _target(target: TargetSize) -> TargetShape:
    now = target.now
    return TargetShape(
        **_named(target.key),
        size=target.size,
        change=target.change,
        baseline=target.baseline,
        budget=target.budget,
        pushed_size=now.pushed_size,
        layers=now.layers,
        wasted=now.wasted,
        efficiency=now.efficiency,
        base=now.base,
        base_made=target.base_made,
        critical=now.critical,
        high=now.high,
        medium=now.medium,
        low=now.low,
        measured=now.at,
        fresh=target.fresh,
        builds=TrendShape.model_validate(target.builds),
        pulls=TrendShape.model_validate(target.pulls),
        cache=TrendShape.model_validate(target.cache),
        growth=GrowthShape.model_validate(target.growth) if target.growth else None,
        history=_points(target.history),
    )


def _named(key: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("project", "target", "platform"), key, strict=True))


def _points(points: tuple[Point, ...]) -> list[PointShape]:
    return [PointShape.model_validate(point) for point in points]
