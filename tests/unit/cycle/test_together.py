"""Many items at the same time: in their order, never too many at once."""

from __future__ import annotations

import asyncio

import pytest

from bot.cycle.together import together


@pytest.mark.parametrize("count", [0, 1, 7, 50])
def test_every_item_has_its_result_in_its_place_and_few_are_begun_at_once(count: int) -> None:
    inside = most = 0

    async def work(item: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001 * (item % 3))
        inside -= 1
        return item * item

    assert asyncio.run(together(work, range(count), most=4)) == [item * item for item in range(count)]
    assert most == min(count, 4)


def test_one_that_takes_long_holds_up_no_more_than_its_own_place() -> None:
    done, others = list[int](), asyncio.Event()

    async def work(item: int) -> None:
        if item == 0:
            await others.wait()
        done.append(item)
        if len(done) == 19:
            others.set()

    asyncio.run(together(work, range(20), most=2))

    assert done[-1] == 0
