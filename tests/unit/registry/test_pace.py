"""How fast one host is asked, and how those who wait are let in."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import RegistryRateLimited
from bot.registry.gate import Gate
from bot.registry.pace import Pace, Patience
from tests.integration.registry.asking import Ticks


def test_ten_good_answers_earn_one_more_in_flight_up_to_what_is_allowed() -> None:
    pace = Pace("it", most=3, allowed=3)
    pace.slow(resume=0)
    earned = []
    for _ in range(40):
        pace.answered(pauses=1)
        earned.append(pace.allowed)
    assert [earned.index(number) for number in (1, 2, 3)] == [0, 9, 19]
    assert max(earned) == 3


def test_answers_to_what_was_sent_before_a_pause_earn_nothing() -> None:
    pace = Pace("it", most=8, allowed=8)
    pace.slow(resume=0)
    for _ in range(40):
        pace.answered(pauses=0)
    assert pace.allowed == 1


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace = Pace("it", most=8, allowed=8)
    pace.slow(resume=50)
    pace.slow(resume=10)
    assert pace.resume == 50


def test_all_who_stand_at_the_door_are_told_when_a_pause_is_too_long() -> None:
    clock = Ticks()
    pace = Pace("it", most=2, allowed=2)

    async def one(gate: Gate, number: int) -> str:
        try:
            async with gate.pass_through():
                await asyncio.sleep(0)
                if number == 0:
                    pace.slow(clock.monotonic() + 3600)
        except RegistryRateLimited:
            return "told"
        return "asked"

    async def work() -> list[str]:
        gate = Gate(pace, clock, clock.sleep)
        async with asyncio.timeout(60):
            return await asyncio.gather(*(one(gate, number) for number in range(50)))

    assert asyncio.run(work()) == ["asked"] * 2 + ["told"] * 48
    assert clock.slept == []


def test_one_who_leaves_the_line_leaves_room_for_the_next() -> None:
    async def work() -> bool:
        gate = Gate(Pace("it", most=1, allowed=1), Ticks(), asyncio.sleep)
        entered = asyncio.Event()

        async def hold() -> None:
            async with gate.pass_through():
                await asyncio.sleep(0.01)

        async def enter() -> None:
            async with gate.pass_through():
                entered.set()

        holder, leaver, waiter = (asyncio.create_task(one()) for one in (hold, hold, enter))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.gather(holder, leaver, waiter, return_exceptions=True)
        return entered.is_set()

    assert asyncio.run(work())


@pytest.mark.parametrize("wait", [61.0, 3600.0])
def test_patience_ends_where_the_wait_exceeds_what_a_run_may_wait(wait: float) -> None:
    pace = Pace("it", most=8, allowed=8)
    with pytest.raises(RegistryRateLimited, match=f"it limits our requests .* a pause of {wait:.0f} s"):
        Patience().told(pace, 429, wait, now=0)
    assert pace.resume >= 300, "the others are not sent to be refused as well"
