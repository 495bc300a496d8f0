"""Doing one thing for many items at the same time, in memory that does not grow with their number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

# Each registry has its own, much smaller limit; this one only bounds what waits for it.
MOST_AT_ONCE: Final = 2_000

Item = TypeVar("Item")
Result = TypeVar("Result")


async def together(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item], most: int = MOST_AT_ONCE
) -> list[Result]:
    """The result of `work` for every item, in the items' order; at most so many are begun at once."""
    results: dict[int, Result] = {}
    left = iter(enumerate(items))

    async def some() -> None:
        for number, item in left:
            results[number] = await work(item)

    await asyncio.gather(*(some() for _ in range(min(most, len(items)))))
    return [results[number] for number in range(len(items))]
