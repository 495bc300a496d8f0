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
    """For each published image a mark, what it is, and (empty where all is well) how it stands."""
    several = len({one.platform for one in published}) > 1
    for one in published:
        platform = f" {one.platform}" if several else ""
        what = f"{visible(one.target)}{platform}: {visible(str(one.image.with_digest(None)), limit=120)}"
        if one.state is Shipping.SHIPPED:
            yield _MARKS[one.state], f"{what}{_age(one)}, on the branch's base{_base_age(one)}", ""
        else:
            yield _MARKS[one.state], f"{what}{_age(one)}", visible(one.reason, limit=400)


def _age(one: Published) -> str:
    return f", made {_ago(wording.age(one.created, one.at))}" if one.created is not None else ""


def _base_age(one: Published) -> str:
    return f" (made {_ago(wording.age(one.base_created, one.at))})" if one.base_created is not None else ""


def _ago(age: str) -> str:
    return age if age == "today" else f"{age} ago"
