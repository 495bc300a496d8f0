"""What is published, for the terminal: each image with its age, and how it stands to the branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.model.published import Published, Shipping
from bot.report import wording
from bot.report.quote import visible

_MARKS: Final = {
    Shipping.SHIPPED: "✓",
    Shipping.AHEAD: "✓",
    Shipping.NOT_SHIPPED: "!",
    Shipping.ABSENT: "·",
    Shipping.UNKNOWN: "·",
}


def lines(published: Sequence[Published]) -> Iterable[tuple[str, str, str]]:
    """For each published image a mark, what it is, and how it stands."""
    several = len({one.platform for one in published}) > 1
    for one in published:
        platform = f" {one.platform}" if several else ""
        name = visible(str(one.image.with_digest(None)), limit=120)
        yield (
            _MARKS[one.state],
            f"{visible(one.target)}{platform}: {name}{_age(one)}",
            visible(one.reason, limit=400),
        )


def _age(one: Published) -> str:
    if one.created is None:
        return ""
    age = wording.age(one.created, one.at)
    return ", made today" if age == "today" else f", made {age} ago"
