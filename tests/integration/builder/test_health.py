"""Images started on a real engine: how they do, what the log says, and how closed the room is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import connect
from bot.builder.companions import must_run
from bot.errors import EngineError
from bot.model.evidence import HealthState
from bot.model.target import HealthPlan
from deploy.lab import Lab
from tests.integration.builder.workbench import SLEEP, Workbench, on

pytestmark = pytest.mark.lab


@pytest.fixture
def bench(lab: Lab, builds_with: BuilderSettings, tmp_path: Path) -> Iterator[Workbench]:
    with on(builds_with, lab, tmp_path) as made:
        yield made


NOT_HEALTHY = {
    "exits": (['CMD ["sh", "-c", "echo bye; exit 7"]'], HealthState.EXITED, "ended with exit code 7\nbye"),
    "exits at once with success": (['CMD ["true"]'], HealthState.EXITED, "ended with exit code 0"),
    "a command that is not there": (['CMD ["/nope"]'], HealthState.EXITED, "it cannot be started"),
    "a user that is not there": (["USER nobodyknows", SLEEP], HealthState.EXITED, "it cannot be started"),
    "never healthy": (
        ["HEALTHCHECK CMD echo not yet; exit 1", SLEEP],
        HealthState.UNHEALTHY,
        "not healthy within 6 s; the last probe said: exit code 1 not yet",
    ),
    "a probe that hangs": (["HEALTHCHECK CMD sleep 60", SLEEP], HealthState.UNHEALTHY, "no answer within"),
    "a probe that is not there": (['HEALTHCHECK CMD ["/nope"]', SLEEP], HealthState.UNHEALTHY, "/nope"),
    "eats memory": (
        ['CMD ["tail", "/dev/zero"]'],
        HealthState.EXITED,
        "it used more memory than its limit",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "state", "log"), NOT_HEALTHY.values(), ids=NOT_HEALTHY.keys())
def test_a_container_that_does_not_do_well_says_why(
    bench: Workbench, lines: list[str], state: HealthState, log: str
) -> None:
    found = bench.start(*lines, plan=HealthPlan(seconds=6, memory=64 * 1024**2))
    assert found.state is state
    assert log in found.log


def test_an_image_without_a_command_has_exited_before_it_began(bench: Workbench) -> None:
    (bench.folder / "context").mkdir()
    (bench.folder / "context" / "file").touch()
    built = bench.build("FROM scratch", "COPY file /file")
    found = bench.builder.health(built.image, HealthPlan(), name=f"{bench.prefix}-run")
    assert found.state is HealthState.EXITED
    assert found.log.lower() == "it cannot be started: no command specified"


# What a container must find true inside, asked by its own health check.
ROOM = {
    "no network but its own": (["HEALTHCHECK CMD test $(ls /sys/class/net) = lo"], HealthPlan()),
    "no capability for a user": (
        ["USER nobody", "HEALTHCHECK CMD grep -q '^CapBnd:.0000000000000000' /proc/1/status"],
        HealthPlan(),
    ),
    "no new privileges": (["HEALTHCHECK CMD grep -q '^NoNewPrivs:.1' /proc/1/status"], HealthPlan()),
    "no raw sockets for root": (
        ["HEALTHCHECK CMD grep -q '^CapBnd:.00000000000004cb' /proc/1/status"],
        HealthPlan(),
    ),
    "the environment of the plan": (
        ["HEALTHCHECK CMD test $MODE = test"],
        HealthPlan(env=(("MODE", "test"),)),
    ),
    "a writable root": (["HEALTHCHECK CMD touch /made"], HealthPlan()),
    "a read-only root with room for temporary files": (
        ["HEALTHCHECK CMD ! touch /made && touch /tmp/made /run/made"],
        HealthPlan(read_only=True),
    ),
}


@pytest.mark.parametrize(("lines", "plan"), ROOM.values(), ids=ROOM.keys())
def test_a_container_stands_in_a_closed_room(bench: Workbench, lines: list[str], plan: HealthPlan) -> None:
    found = bench.start(*lines, SLEEP, plan=plan)
    assert found.state is HealthState.HEALTHY, found.log


def test_companions_are_reached_by_name_and_the_world_is_not(bench: Workbench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="db")
    bench.build(f"FROM {bench.base}", SLEEP, name="cache")
    names = (f"{bench.prefix}-db", f"{bench.prefix}-cache")
    asked = " && ".join(f"getent hosts {name}" for name in names)
    found = bench.start(
        f"HEALTHCHECK CMD {asked} && test $(ls /sys/class/net) = lo", SLEEP, plan=HealthPlan(companions=names)
    )
    assert found.state is HealthState.HEALTHY, found.log


def test_a_companion_that_cannot_be_had_is_the_engines_trouble(bench: Workbench, lab: Lab) -> None:
    with pytest.raises(EngineError, match="the engine could not start"):
        bench.start(SLEEP, plan=HealthPlan(companions=(f"{lab.registry}/team/none:1",)))


def test_a_companion_that_has_ended_is_named_with_what_it_said(bench: Workbench) -> None:
    bench.build(f"FROM {bench.base}", 'CMD ["sh", "-c", "echo no password was set; exit 3"]', name="db")
    with connect(bench.settings) as client:
        companion = client.containers.create(f"{bench.prefix}-db", name=f"{bench.prefix}-with-0")
        companion.start()
        companion.wait()
        with pytest.raises(EngineError) as raised:
            must_run([companion])
    assert (
        f"{bench.prefix}-db of health.with ended with exit code 3: no password was set"
        in raised.value.message
    )
    assert "health.env" in raised.value.hint


def pushed(bench: Workbench, image: str, place: str) -> dict[str, str]:
    """An image that is in a registry alone from now on: its names there."""
    bench.docker("tag", image, f"{place}:1")
    said = bench.docker("push", f"{place}:1").split()
    bench.docker("image", "rm", f"{place}:1")
    return {"tag": f"{place}:1", "digest": f"{place}@{said[said.index('digest:') + 1]}"}


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_companion_that_was_pulled_is_given_back_and_one_that_was_there_is_kept(
    bench: Workbench, lab: Lab, by: str
) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="companion")
    places = [f"{lab.registry}/{bench.prefix}/{one}" for one in ("theirs", "ours")]
    theirs, ours = (pushed(bench, f"{bench.prefix}-companion", place)[by] for place in places)
    bench.builder.remove(f"{bench.prefix}-companion")
    bench.docker("pull", "--quiet", theirs)

    bench.start(SLEEP, plan=HealthPlan(companions=(theirs, ours), seconds=1))
    assert places[1] in bench.docker("images", "--digests")
    bench.builder.close()

    listed = bench.docker("images", "--digests", "--format", "{{.Repository}}")
    assert places[0] in listed
    assert places[1] not in listed
    assert "refit-pulled" not in listed
    bench.docker("image", "rm", theirs)


def test_a_container_that_leaves_too_little_room_on_the_engines_disk_is_ended(bench: Workbench) -> None:
    image = bench.build(f"FROM {bench.base}", SLEEP).image
    narrow = DockerBuilder(replace(bench.settings, min_free=10**18))

    with pytest.raises(EngineError, match=r"must stay free \(builder.min_free\)") as raised:
        narrow.health(image, HealthPlan(seconds=60), name=f"{bench.prefix}-run")

    assert "Free space" in raised.value.hint
    assert bench.docker("ps", "--all", "--quiet", "--filter", f"name={bench.prefix}") == ""


def test_nothing_that_was_started_stays(bench: Workbench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="db")
    bench.start(SLEEP, plan=HealthPlan(companions=(f"{bench.prefix}-db",), seconds=1))
    name = f"name={bench.prefix}"
    assert bench.docker("ps", "--all", "--quiet", "--filter", name) == ""
    assert bench.docker("network", "ls", "--quiet", "--filter", name) == ""


def test_what_a_crash_left_behind_is_removed(bench: Workbench) -> None:
    bench.build(f"FROM {bench.base}", SLEEP, name="crash")
    bench.docker("network", "create", "--internal", f"{bench.prefix}-crash-net")
    left = ["--name", f"{bench.prefix}-crash-run", "--network", f"{bench.prefix}-crash-net"]
    bench.docker("run", "--detach", *left, f"{bench.prefix}-crash")
    bench.builder.remove(f"{bench.prefix}-crash")
    name = f"name={bench.prefix}"
    assert bench.docker("ps", "--all", "--quiet", "--filter", name) == ""
    assert bench.docker("network", "ls", "--quiet", "--filter", name) == ""
    assert bench.docker("images", "--quiet", f"{bench.prefix}-crash") == ""
