"""`refit serve`, the real process: it catches up once, answers, and stops cleanly."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing

import pytest

from bot.store.lease import lease
from bot.triggers.periods import Job
from tests.e2e.machines import MISSED, NEVER
from tests.e2e.serving import PLAIN, serving, wait_until
from tests.e2e.world import World

pytestmark = pytest.mark.lab


def test_a_missed_cycle_is_caught_up_once_and_not_again_after_a_restart(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": PLAIN.format(base=base.pinned)})
    world.settings["schedule"] = MISSED
    base.move()

    with serving(world) as served:
        wait_until(lambda: states(world) == dict.fromkeys(Job, "done"), what=served.text)
        assert served.get("/healthz").text == "ok\n"
        assert served.get("/readyz").json() == {
            "ready": True,
            "parts": {"store": True, "schedule": True},
        }
        assert served.stop() == 0
        first = served.text()

    (branch,) = world.branches(path)
    (page,) = world.pages()
    assert branch in page.read_text(encoding="utf-8")
    assert f"shop: pass {page}" in first
    assert len([line for line in first.splitlines() if "asked for" in line]) == len(Job)
    assert states(world) == dict.fromkeys(Job, "done")
    assert world.leftovers() == []

    with serving(world, number=2) as served:
        assert served.stop() == 0
        assert "asked for" not in served.text()
    assert len(world.branches(path)) == 1


def test_a_stop_in_the_middle_of_a_build_leaves_nothing_and_the_next_start_goes_on(world: World) -> None:
    base = world.base()
    slow = f"FROM {base.pinned}\nRUN sleep 45\nCMD sleep 600\n"
    path = world.project({"Dockerfile": slow})
    world.settings["schedule"] = MISSED
    base.move()

    with serving(world) as served:
        served.wait_for("prove ")
        served.tell()
        served.wait_for("SIGTERM: stopping")
        served.tell()  # a second signal ends the build instead of waiting for it
        assert served.process.wait(400) == 0
        served.wait_for("was cut off")
    assert world.branches(path) == []
    assert world.pages() == []
    assert states(world) == {"monthly": "running"}
    assert world.leftovers() == []

    with serving(world, number=2) as served:
        served.wait_for("go on with monthly-")
        served.tell()
        served.wait_for("SIGTERM: stopping")
        served.tell()
        assert served.process.wait(400) == 0


def test_a_bot_that_was_killed_is_gone_on_with(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": PLAIN.format(base=base.pinned)})
    base.move()
    with serving(world) as served:
        served.wait_for("prove ")
        served.process.kill()
        served.process.wait(30)

    with serving(world, number=2) as served:
        served.wait_for("go on with monthly-")
        served.wait_for("done: 1 updates")
        assert served.stop() == 0

    assert len(world.branches(path)) == 1
    assert world.leftovers() == []


def test_a_cycle_that_somebody_runs_by_hand_meanwhile_is_left_to_them(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": PLAIN.format(base=base.pinned)})
    base.move()

    with lease(world.state), serving(world) as served:
        served.wait_for(f"process {os.getpid()}) drives the cycle in")
        assert served.get("/readyz").status_code == 200
        assert served.stop() == 0
    assert states(world) == {}


def test_a_store_that_is_busy_keeps_the_bot_ready_and_one_that_breaks_does_not(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    world.settings["schedule"] = NEVER
    with serving(world) as served, closing(sqlite3.connect(world.state / "refit.sqlite3")) as other:
        other.execute("begin exclusive")
        assert served.get("/readyz").status_code == 200
        other.execute("drop table cycles")
        other.commit()

        answer = served.get("/readyz")

        assert (answer.status_code, answer.json()["parts"]["store"]) == (503, False)
        assert served.get("/healthz").status_code == 200
        assert served.stop() == 0
        assert "no such table: cycles" in served.text()


def test_a_port_in_use_is_said_before_anything_is_begun(world: World) -> None:
    world.project({"Dockerfile": "FROM scratch\n"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        world.settings["web"] = {"port": taken.getsockname()[1]}

        ended = world.refit("serve")

    assert ended.code == 2
    assert "cannot listen on 127.0.0.1" in ended.err
    assert "set `web.port`" in ended.err
    assert states(world) == {}


def states(world: World) -> dict[str, str]:
    """State of the newest cycle of each job."""
    with closing(sqlite3.connect(world.state / "refit.sqlite3")) as store:
        rows = store.execute("select name, state from cycles order by started, attempt").fetchall()
    return {name.partition("-")[0]: state for name, state in rows}
