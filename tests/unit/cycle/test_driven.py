"""A cycle that another process drives is seen from outside: who does, what it is at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.driven import Follower, Shown
from bot.cycle.monthly import run_cycle
from bot.model.run import CycleState
from bot.report import terminal, wire
from tests.unit.cycle.house import House, Quiet, outdated

NAME, DRIVER = "monthly-2026-11", "other process 7"


@pytest.fixture
def shop(tmp_path: Path) -> House:
    return outdated(tmp_path)


@dataclass
class Watched(Quiet):
    """Progress of the driver; each step is looked at from outside."""

    follower: Follower | None = None

    def step(self, text: str) -> None:
        super().step(text)
        if self.follower is not None:
            assert self.follower.look(DRIVER) is None
            self.follower.tell()


def follower(shop: House) -> Follower:
    return Follower(shop.store, NAME, Quiet(), shop.clock)


def test_what_was_followed_ends_with_the_very_result_of_its_driver(shop: House) -> None:
    follows = follower(shop)
    driving = Watched(follower=follows)

    result = run_cycle(replace(shop.parts(), progress=driving, who=DRIVER)).result
    followed = follows.look("")

    assert followed is not None
    assert followed == result
    assert wire.run(followed) == wire.run(result)
    assert terminal.render(followed) == terminal.render(result)
    assert isinstance(follows.progress, Quiet)
    steps = [line for line in driving.lines if line in follows.progress.lines]
    assert "prove debian:bookworm-slim in acme/shop" in steps


def test_who_drives_is_forgotten_when_the_cycle_ends(shop: House) -> None:
    cycle = shop.store.begin(NAME, shop.clock.now())
    Shown(replace(shop.parts(), who=DRIVER), cycle).step("prove")
    seen = shop.store.driving(cycle)
    assert seen is not None
    assert (seen.who, seen.since, seen.step) == (DRIVER, shop.clock.now(), "prove")

    shop.store.finish(cycle, "{}", shop.clock.now())

    assert shop.store.driving(cycle) is None


def test_what_a_dead_process_left_is_not_followed(shop: House) -> None:
    cycle = shop.store.begin(NAME, shop.clock.now())
    Shown(replace(shop.parts(), who="dead process 6"), cycle).step("prove")
    follows = follower(shop)

    assert follows.look(DRIVER) is None

    assert follows.joined is None


def test_what_ended_before_is_not_what_was_waited_for(shop: House) -> None:
    shop.run()
    shop.clock.moment += timedelta(seconds=1)
    follows = follower(shop)

    assert follows.look(DRIVER) is None

    shop.clock.moment += timedelta(seconds=1)
    again = shop.run().result
    assert again.cycle.attempt == 2
    assert follows.look(DRIVER) == again


def test_a_dry_run_leaves_nothing_to_follow(shop: House) -> None:
    shop.run(dry_run=True)

    assert shop.store.cycles() == ()


def test_many_details_at_once_are_shown_now_and_then(shop: House) -> None:
    cycle = shop.store.begin(NAME, shop.clock.now())
    shown = Shown(replace(shop.parts(), who=DRIVER), cycle)
    shown.step("build")
    for number in range(100):
        shown.detail(f"line {number}")
    first = shop.store.driving(cycle)
    shop.clock.moment += timedelta(seconds=2)
    shown.detail("line 100")
    second = shop.store.driving(cycle)

    assert first is not None
    assert second is not None
    assert (first.detail, second.detail) == ("", "line 100")
    assert cycle.state is CycleState.RUNNING
