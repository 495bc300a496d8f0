"""What a proof at level `base` costs: the first, the same from the store, and one for a hundred projects."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from bot.app import open_parts
from bot.cycle.plan import make_plan
from bot.cycle.prove import prove
from bot.model.run import Cycle, CycleState
from bot.ports import Progress
from bot.settings import load
from deploy.lab import Lab
from tests.e2e.world import ROOT, World

CACHED_GOAL: Final = 0.02
PROJECTS: Final = 100


class Quiet(Progress):
    """Says nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""


def main() -> None:
    """Measure and print two lines."""
    folder = Path(os.environ.get("REFIT_LAB_DIR", ROOT / ".lab"))
    with Lab.start(folder, say=lambda _: None) as lab, tempfile.TemporaryDirectory() as scratch:
        world = World(lab, Path(scratch), settings={"builder": {"enabled": False}})
        base = world.base()
        for number in range(PROJECTS):
            world.project({"Dockerfile": f"FROM {base.pinned}\n"}, name=f"shop-{number}")
        base.move()
        _cached(world)
        _shared(world)


def _cached(world: World) -> None:
    """The first proof runs two scans; the second is found by its key."""
    with open_parts(load(world.config()), Quiet()) as parts:
        planned = make_plan(parts).updates[0]
        checkout = parts.forge(planned.project).checkout(planned.project, planned.commit)
        cycle = Cycle("bench", "bench", 1, CycleState.RUNNING, parts.clock.now())
        parts.scanner.database()
        seconds = []
        for _ in range(2):
            begun = time.monotonic()
            prove(planned, checkout, parts, cycle, may_build=False)
            seconds.append(time.monotonic() - begun)
    ratio = seconds[1] / seconds[0]
    print(
        f"base proof from cache: {seconds[1] * 1000:.1f} ms / first {seconds[0]:.2f} s = {ratio:.4f}"
        f" (goal ≤ {CACHED_GOAL})"
    )


def _shared(world: World) -> None:
    """All projects in a state of their own; the store tells how many scans were made."""
    ended = world.run()
    if ended.code != 0:
        raise SystemExit(ended.err)
    proofs = len(json.loads(ended.out)["updates"])
    with closing(sqlite3.connect(world.state / "refit.sqlite3")) as store:
        (scans,) = store.execute("select count(*) from scans where key not like 'last %'").fetchone()
    print(
        f"{proofs} projects that share one digest pair: {scans} scans = {scans / 2:.2f} base proofs (goal 1)"
    )


if __name__ == "__main__":
    main()
