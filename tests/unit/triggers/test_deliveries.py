"""A delivery counts once, for as long as its signature would be taken."""

from __future__ import annotations

from datetime import timedelta

from bot.triggers.chat.deliveries import Deliveries
from tests.unit.cycle.house import FakeClock


def test_a_delivery_is_first_once() -> None:
    deliveries = Deliveries(FakeClock())

    assert [deliveries.first(one) for one in ("a", "b", "a", "b", "c")] == [True, True, False, False, True]


def test_what_could_not_come_again_is_forgotten() -> None:
    clock = FakeClock()
    deliveries = Deliveries(clock)
    deliveries.first("a")

    clock.moment += timedelta(minutes=9)
    assert not deliveries.first("a")

    clock.moment += timedelta(minutes=2)
    assert deliveries.first("a")
