"""What a fleet costs: requests to GitHub for each project and each pull request, and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.forge.fleet import fleet

NOTHING_NEW = 1.05  # requests for each project
ONE_MOVED = 10  # requests for each pull request
GROWTH = 1.05


@pytest.mark.parametrize(
    ("size", "moving"), [(40, 3), pytest.param(1000, 40, marks=pytest.mark.long)], ids=["small", "thousand"]
)
def test_a_fleet_is_cheap_to_look_after(tmp_path: Path, size: int, moving: int) -> None:
    with fleet(tmp_path, size, moving) as ships:
        first, _ = ships.cycle()
        assert (first.updates, first.problems) == ((), ())
        assert len(first.decided) == 2 * size

        quiet, asked = ships.cycle()
        assert quiet.problems == ()
        assert asked <= NOTHING_NEW * size

        ships.move()
        moved, asked = ships.cycle()
        assert moved.problems == ()
        assert len(moved.updates) == moving
        assert asked - size * NOTHING_NEW <= (ONE_MOVED - 1) * moving, "one of the ten is the project's own"

        before = ships.memory()
        for _ in range(2):
            again, _ = ships.cycle()
            assert len(again.updates) == moving
        assert ships.memory() <= GROWTH * before
