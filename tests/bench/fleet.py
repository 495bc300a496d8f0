"""Requests to GitHub that a fleet costs, against what was promised; and memory over its cycles."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from tests.unit.forge.fleet import fleet

SIZE: Final = 1000
MOVING: Final = 40
NOTHING_NEW: Final = 1.05
ONE_MOVED: Final = 10


def main() -> None:
    """Measure and print three lines."""
    with tempfile.TemporaryDirectory() as scratch, fleet(Path(scratch), SIZE, MOVING) as ships:
        ships.cycle()
        _, quiet = ships.cycle()
        ships.move()
        result, moved = ships.cycle()
        before = ships.memory()
        ships.cycle()
        ships.cycle()
        grown = ships.memory() / before
    each = (moved - quiet) / len(result.updates) + quiet / SIZE
    print(
        f"fleet, nothing new: {quiet} requests / {SIZE} projects = {quiet / SIZE:.3f} (goal ≤ {NOTHING_NEW})"
    )
    print(f"fleet, one base moved: {each:.1f} requests a pull request (goal ≤ {ONE_MOVED})")
    print(f"fleet, memory after 5 cycles / after 3 = {grown:.2f} (goal ≤ 1.05)")


if __name__ == "__main__":
    main()
