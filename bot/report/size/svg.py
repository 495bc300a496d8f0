"""Charts as SVG for the page: drawn by hand, since they must need no script and no font.

Only classes are set; the page's style gives the colours, for light, dark and paper. Text in a chart
is numbers and months of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.report.size.values import Point

_MB: Final = 1e6
_HEADROOM: Final = 1.08
_TICKS: Final = 4
_LABELS: Final = 5  # most months written below a chart


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a chart draws, in SVG units: the size of the picture and the room left for labels."""

    width: float
    height: float
    left: float = 0.0
    bottom: float = 0.0
    edge: float = 3.0


_CHART: Final = _Box(480, 190, left=58, bottom=24, edge=8)
_SPARK: Final = _Box(120, 26)


def chart(points: Sequence[Point], budget: int | None = None) -> str:
    """Sizes over time with axes, and a dashed line at the budget; empty below two points."""
    if len(points) < 2:
        return ""
    top = max([*(point.size for point in points), budget or 0]) * _HEADROOM
    places = _places(points, top, _CHART)
    parts = [_open(_CHART, "chart"), *_grid(top), *_months(points, places)]
    if budget:
        level = _y(budget, top, _CHART)
        parts.append(
            f'<line class="budget" x1="{_CHART.left}" x2="{_CHART.width - _CHART.edge}" {_level(level)}/>'
        )
    parts += [_area(places, _CHART), _line(places), *_dots(points, places), "</svg>"]
    return "".join(parts)


def spark(points: Sequence[Point]) -> str:
    """The course of a size in a table cell; empty below two points."""
    if len(points) < 2:
        return ""
    top = max(point.size for point in points) * _HEADROOM
    places = _places(points, top, _SPARK)
    x, y = places[-1]
    end = f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2"/>'
    return "".join((_open(_SPARK, "spark"), _area(places, _SPARK), _line(places), end, "</svg>"))


def _open(box: _Box, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {box.width:.0f} {box.height:.0f}" role="img" aria-hidden="true">'
    )


def _places(points: Sequence[Point], top: float, box: _Box) -> list[tuple[float, float]]:
    """Where each point is drawn; days are as far apart as they are in time."""
    first, last = points[0].day.toordinal(), points[-1].day.toordinal()
    room = box.width - box.left - 2 * box.edge
    span = max(1, last - first)
    return [
        (box.left + box.edge + room * (p.day.toordinal() - first) / span, _y(p.size, top, box))
        for p in points
    ]


def _y(size: float, top: float, box: _Box) -> float:
    room = box.height - box.bottom - 2 * box.edge
    return box.edge + room * (1 - size / max(top, 1.0))


def _area(places: Sequence[tuple[float, float]], box: _Box) -> str:
    floor = box.height - box.bottom - box.edge
    along = " ".join(f"L{x:.1f} {y:.1f}" for x, y in places)
    return (
        f'<path class="area" d="M{places[0][0]:.1f} {floor:.1f} {along} L{places[-1][0]:.1f} {floor:.1f}Z"/>'
    )


def _line(places: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'


def _dots(points: Sequence[Point], places: Sequence[tuple[float, float]]) -> list[str]:
    """A dot at each point that tells its month and size when pointed at."""
    return [
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>'
        f"{point.day:%Y-%m}: {point.size / _MB:,.1f} MB</title></circle>"
        for point, (x, y) in zip(points, places, strict=True)
    ]


def _grid(top: float) -> list[str]:
    """Level lines with their megabytes."""
    parts: list[str] = []
    for tick in range(_TICKS):
        size = top / _HEADROOM * tick / (_TICKS - 1)
        level = _y(size, top, _CHART)
        parts.append(
            f'<line class="grid" x1="{_CHART.left}" x2="{_CHART.width - _CHART.edge}" {_level(level)}/>'
        )
        parts.append(
            f'<text class="tick" x="{_CHART.left - 6}" y="{level + 4:.1f}">{size / _MB:,.0f} MB</text>'
        )
    return parts


def _level(y: float) -> str:
    return f'y1="{y:.1f}" y2="{y:.1f}"'


def _months(points: Sequence[Point], places: Sequence[tuple[float, float]]) -> list[str]:
    """The first and the last month, and some between."""
    step = max(1, -(-(len(points) - 1) // (_LABELS - 1)))
    chosen = [*range(0, len(points) - 1 - step // 2, step), len(points) - 1]
    return [_month(points[i], places[i][0]) for i in dict.fromkeys(chosen)]


def _month(point: Point, x: float) -> str:
    x, y = min(x, _CHART.width - 26), _CHART.height - 6
    return f'<text class="month" x="{x:.1f}" y="{y:.0f}">{point.day:%Y-%m}</text>'
