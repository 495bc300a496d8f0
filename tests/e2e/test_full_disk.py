"""An engine whose disk is too small: said as such, never put down to the update, and tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot import process
from deploy.lab import Lab
from deploy.lab.engine import Engine
from tests.e2e.shown import visible_text
from tests.e2e.world import Ended, World

pytestmark = pytest.mark.lab

FILLS = "RUN head -c 400000000 /dev/zero > /big"
NEARLY = "RUN head -c 20000000 /dev/zero > /big && sleep 15"


@pytest.fixture(scope="module")
def small(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of its own, on a disk of 400 MB."""
    disk = tmp_path_factory.mktemp("disk")
    process.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk], timeout=30)
    engine = Engine(disk, lab.registry)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        process.run(["umount", "--lazy", disk], timeout=30)


def filled(world: World, engine: Engine, step: str = NEARLY, min_free: str = "300 MB") -> Ended:
    """Run a target whose build writes more than there is room for."""
    base = world.base()
    world.project({"Dockerfile": f"FROM {base.pinned}\n{step}\nCMD sleep 60\n"}, targets=[{"name": "shop"}])
    world.settings["builder"] = {"docker_host": engine.host, "min_free": min_free}
    base.move()
    return world.run()


@pytest.mark.parametrize(
    ("step", "min_free", "message"),
    [
        (FILLS, "0 B", f"the engine's disk is full at [2/2] {FILLS}: head: "),
        (NEARLY, "300 MB", "MB left, and 300 MB must stay free (builder.min_free)"),
    ],
    ids=["full", "below the budget"],
)
def test_a_full_disk_is_the_engines_trouble_and_the_bases_are_compared_all_the_same(
    world: World, small: Engine, step: str, min_free: str, message: str
) -> None:
    ended = filled(world, small, step, min_free)

    (update,) = ended.document["updates"]
    (reason,) = update["reasons"]
    assert (update["level"], update["verdict"]) == ("base", "warn"), update
    assert reason.startswith("not built this time: ")
    assert message in reason
    assert "Free space there (docker system df" in reason
    assert update["vulnerabilities"]["fixed"]
    (page,) = world.pages()
    assert message in visible_text(page)


def test_what_a_full_disk_kept_from_being_built_is_tried_again(world: World, small: Engine) -> None:
    filled(world, small)
    world.settings["builder"] = {"docker_host": world.lab.docker_host}

    (update,) = world.run().document["updates"]

    assert update["level"] == "health"


def test_a_full_disk_is_left_as_it_was_found(small: Engine, world: World) -> None:
    filled(world, small)

    environment = process.environment(DOCKER_HOST=small.host, HOME="/nonexistent")
    listed = [["ps", "-aq"], ["images", "-q"]]
    told = [process.run(["/usr/bin/docker", *words], timeout=60, env=environment).text for words in listed]
    assert told == ["", ""]
    assert world.leftovers() == []
