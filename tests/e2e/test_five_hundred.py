"""Five hundred cycles in one process leave nothing behind: no child, no open file, no thread (R18)."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import open_parts
from bot.cycle.monthly import run_cycle
from bot.model.run import RunResult
from bot.settings import Settings, load
from tests.e2e.world import World
from tests.unit.cycle.house import Quiet

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(900)]

CYCLES = 500
WARM = 20  # cycles until what is made once is made
SPARE = 2  # of what is closed by and by; what leaked once a cycle would be hundreds
MOVES = 5  # cycles between two new base images, each scanned by Trivy and proposed
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Left:
    """What this process holds between two cycles."""

    children: int
    files: int
    threads: int

    @classmethod
    def now(cls, folder: Path) -> Left:
        files = list(Path("/proc/self/fd").iterdir())
        return cls(len(list(started(folder))), len(files), threading.active_count())


def started(folder: Path) -> Iterator[str]:
    """Children of this process, and programs at work in its folder whose parent is gone."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_bytes()
            if parent == os.getpid() or (
                str(folder).encode() in command and process.name != str(os.getpid())
            ):
                yield command.decode()


def cycle(settings: Settings) -> RunResult:
    """One cycle as the worker runs it: every collaborator is opened for it, and closed after it."""
    with open_parts(settings, Quiet()) as parts:
        return run_cycle(parts).result


def push(world: World, number: int) -> str:
    """A new image under the tag; gives its digest."""
    layers = [{"etc/os-release": b'ID=debian\nVERSION_ID="12"\n', "number": str(number).encode()}]
    created = BEGAN + timedelta(hours=number)
    return world.lab.push_image("five/hundred", "1", layers=layers, created=created)


def test_children_files_and_threads_are_flat_over_five_hundred_cycles(world: World) -> None:
    name = f"{world.lab.registry}/five/hundred:1"
    path = world.project({"Dockerfile": f"FROM {name}@{push(world, 0)}\n"})
    world.settings["builder"] = {"enabled": False}
    settings = load(world.config())
    at_first = Left.now(world.folder)  # the lab's own daemons
    held, proposed, digest = [], set(), ""

    for number in range(CYCLES):
        digest = digest if number % MOVES else push(world, number // MOVES + 1)
        result = cycle(settings)
        assert result.cycle.attempt == number + 1  # the one before is finished: nothing is gone on with
        assert result.problems == ()
        (update,) = result.updates
        assert update.planned.update.to.digest == digest
        proposed.add(update.evidence[0].key)
        held.append(Left.now(world.folder))

    assert len(proposed) == CYCLES // MOVES
    assert len(world.branches(path)) == 1
    assert {one.children for one in held} == {at_first.children}
    for kind in ("files", "threads"):
        early, late = ([getattr(one, kind) for one in part] for part in (held[WARM:80], held[-60:]))
        assert statistics.median(late) <= statistics.median(early) + 1, kind
        assert max(late) <= max(early) + SPARE, kind
