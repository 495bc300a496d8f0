"""`kill -9` at any moment, and run again: it finishes, with one pull request, and nothing done twice."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter

import pytest

from bot import process
from tests.e2e.world import World

pytestmark = pytest.mark.lab

KILLS = 20
SEED = 20261124
PLAIN = "FROM {base}\nRUN echo {name}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


def test_twenty_kills_at_random_moments_cost_nothing_but_time(world: World) -> None:
    first, second = world.base(), world.base()
    path = world.project(
        {
            "a/Dockerfile": PLAIN.format(base=first.pinned, name="a"),
            "b/Dockerfile": PLAIN.format(base=second.pinned, name="b"),
        }
    )
    first.move()
    second.move()
    chance = random.Random(SEED)  # noqa: S311 - moments, no secrets
    seen: list[tuple[int, set[str]]] = []

    for _ in range(KILLS):
        kill_after(world, chance.uniform(0.2, 6.0))
        seen.append((finished_proofs(world), set(world.branches(path))))
    ended = world.run()

    assert ended.code == 0, ended.err
    assert len(ended.document["updates"]) == 2
    assert len(world.branches(path)) == 2
    assert len(world.pages()) == 2
    for branch in world.branches(path):
        assert world.git(path, "rev-list", "--count", f"main..{branch}").strip() == "1"
    # What was finished stayed finished: nothing that a kill left is ever lost or made again.
    assert [proofs for proofs, _ in seen] == sorted(proofs for proofs, _ in seen)
    assert all(set(earlier) <= set(later) for (_, earlier), (_, later) in itertools.pairwise(seen))
    assert all(times == 1 for times in scans(world).values())
    assert world.leftovers() == []


def test_what_the_engine_finishes_for_a_run_that_was_killed_goes_with_a_later_one(world: World) -> None:
    """An engine that is slow to notice tags a build, or creates a container, after the next run has swept."""
    base = world.base()
    world.project({"Dockerfile": PLAIN.format(base=base.pinned, name="a")})
    base.move()
    run = started(world)
    name = begun(world)
    killed(run)

    assert world.run().code == 0
    engine(world, "pull", base.name)
    engine(world, "tag", base.name, f"{name}-before")
    engine(world, "create", "--name", f"{name}-after", f"{name}-before", "true")
    assert len(world.leftovers()) == 2
    assert world.run().code == 0

    assert world.leftovers() == []


def started(world: World) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        world.command("run", "--quiet"),
        cwd=world.folder,
        env=world.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def begun(world: World) -> str:
    """The name of work that has just begun; to be waited for as long as the test has."""
    while not (locks := [*(world.state / "work").glob("refit-*.lock")]):
        time.sleep(0.05)
    return locks[0].name.removesuffix(".lock")


def killed(run: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(run.pid, signal.SIGKILL)
    run.wait(30)


def kill_after(world: World, seconds: float) -> None:
    """Start a run and end it, with everything it started, after some seconds."""
    run = started(world)
    time.sleep(seconds)
    killed(run)


def engine(world: World, *words: str) -> None:
    env = process.environment(DOCKER_HOST=world.lab.docker_host, HOME="/nonexistent")
    process.run(["/usr/bin/docker", *words], timeout=60, env=env)


def query(world: World, sql: str) -> list[tuple[object, ...]]:
    file = world.state / "refit.sqlite3"
    if not file.exists():
        return []
    with contextlib.closing(sqlite3.connect(file, timeout=30)) as store:
        try:
            return store.execute(sql).fetchall()
        except sqlite3.OperationalError:  # killed before the tables were made
            return []


def finished_proofs(world: World) -> int:
    return len(query(world, "select key from evidence"))


def scans(world: World) -> Counter[object]:
    return Counter(key for (key,) in query(world, "select key from scans"))
