"""What `refit observe` saw, for people."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Final

from rich.table import Table

from bot.model.observation import Change, Observation
from bot.report import wording
from bot.report.quote import visible
from bot.report.screen import Screen, line

_STYLES: Final = {Change.NEW: "cyan", Change.MOVED: "yellow", Change.SAME: "dim"}


def render(observation: Observation, *, zone: tzinfo = UTC, width: int = 100, color: bool = False) -> str:
    """A row for each tag, what failed, and one line that sums it up; times are in the zone."""
    screen = Screen(width, color)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("IMAGE", "DIGEST", "FIRST SEEN", ""):
        table.add_column(name, overflow="fold", no_wrap=name != "IMAGE")
    for one in observation.sightings:
        table.add_row(
            line(visible(str(one.reference), limit=120)),
            line(wording.short_digest(one.digest)),
            line(wording.minute(one.first_seen, zone)),
            line(one.change.value, _STYLES[one.change]),
        )
    if observation.sightings:
        screen.console.print(table)
    screen.console.print(line(_summary(observation), "bold"))
    return screen.text()


def _summary(observation: Observation) -> str:
    counts = [f"{wording.count(len(observation.sightings), 'image')} observed"]
    for change in (Change.NEW, Change.MOVED):
        number = sum(one.change is change for one in observation.sightings)
        counts += [f"{number} {change.value}"] if number else []
    counts += [f"{len(observation.problems)} failed"] if observation.problems else []
    counts.append(wording.requests(observation.requests))
    counts += [f"{visible(host)} {visible(left)} left" for host, left in observation.quota.items()]
    return " · ".join(part for part in counts if part)
