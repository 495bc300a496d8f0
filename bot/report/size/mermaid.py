"""Charts that GitHub draws: Mermaid's xychart, of sizes over time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.report.size.values import Point, TargetSize

# Nothing in a name may be syntax of the chart.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9 ._/-]")
_HEADROOM: Final = 1.1
_MB: Final = 1e6
_MONTHS: Final = 12  # more labels run into each other


def of_target(target: TargetSize) -> str:
    """A target's size, with its budget as a second line where it has one."""
    return _chart(f"{target.key[1]} {target.key[2]}", target.history, target.budget)


def of_total(points: Sequence[Point]) -> str:
    """All targets together."""
    return _chart("all images together", points, None)


def _chart(label: str, points: Sequence[Point], budget: int | None) -> str:
    points = points[-_MONTHS:]
    title = _UNSAFE.sub(" ", label)[:80]
    days = ", ".join(f'"{point.day:%Y-%m}"' for point in points)
    sizes = [point.size / _MB for point in points]
    limit = max([*sizes, (budget or 0) / _MB]) * _HEADROOM
    lines = ["```mermaid", "xychart-beta", f'    title "{title}, MB"', f"    x-axis [{days}]"]
    lines += [f'    y-axis "MB" 0 --> {limit:.0f}', f"    line [{', '.join(f'{s:.1f}' for s in sizes)}]"]
    if budget:
        lines.append(f"    line [{', '.join([f'{budget / _MB:.1f}'] * len(sizes))}]")
    return "\n".join([*lines, "```"])
