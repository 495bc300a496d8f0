"""`refit compare`, the real process: the guide's images before and after, saved images, a proof once more."""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import process
from deploy.lab import Lab
from deploy.lab.sample import pin
from tests.e2e.world import DEBIAN, ROOT, World

pytestmark = pytest.mark.lab

HEALTHY = 'FROM {base}\nRUN mkdir /made\nHEALTHCHECK CMD true\nCMD ["sleep", "60"]\n'


def dockerfile(world: World, path: str) -> Path:
    """A Dockerfile of this repository, pinned to what the lab has."""
    made = world.folder / path.replace("/", "-")
    made.write_text(pin((ROOT / path).read_text(encoding="utf-8"), world.lab.stale, ""), encoding="utf-8")
    return made


def compared(world: World, *words: str | Path) -> dict[str, Any]:
    ended = world.refit("compare", *map(str, words), "--format", "json")
    assert ended.code == 0, ended.err
    return ended.document


def guide(world: World, part: str) -> dict[str, Any]:
    before = dockerfile(world, f"deploy/before/{part}.Dockerfile")
    after = dockerfile(world, f"deploy/sample/{part}/Dockerfile")
    return compared(world, before, after, "--context", ROOT / "deploy" / "sample" / part)


@pytest.mark.parametrize("part", ["frontend", pytest.param("backend", marks=pytest.mark.long)])
def test_the_guides_images_shrink_as_it_promises(world: World, part: str) -> None:
    """The guide says 92 % off the size and a third off the layers; these bases are stand-ins."""
    found = guide(world, part)

    assert found["change"]["size"] < -85
    assert found["change"]["layers"] <= -33
    assert found["before"]["packages"] > found["after"]["packages"]
    assert found["before"]["build_seconds"] > 0 < found["after"]["build_seconds"]
    assert found["after"]["size"] > found["after"]["pushed_size"] > 0


def test_the_engine_that_the_environment_names_is_asked_for_what_it_holds(world: World) -> None:
    world.settings["builder"] = {}
    image = f"{world.lab.registry}/library/debian@{world.lab.stale[DEBIAN]}"
    env = world.environment(DOCKER_HOST=world.lab.docker_host)
    process.run(["/usr/bin/docker", "pull", "-q", image], timeout=120, env=env)

    ended = world.refit("compare", f"engine:{image}", f"engine:{image}", "--format", "json", env=env)

    assert ended.code == 0, ended.err
    assert ended.document["before"]["packages"] > 0


def test_a_saved_image_and_its_published_form_are_one(world: World) -> None:
    image = f"{world.lab.registry}/library/debian@{world.lab.stale[DEBIAN]}"
    saved = save(world.lab, image, world.folder / "saved.tar")

    found = compared(world, image, saved)

    assert (found["fixed"], found["introduced"]) == ([], [])
    assert set(found["packages"].values()) == {0}
    assert found["before"]["vulnerabilities"] == found["after"]["vulnerabilities"] != {}
    assert found["after"]["layers"] == found["before"]["layers"] == 1
    assert found["after"]["size"] == pytest.approx(found["before"]["size"], rel=0.01)
    assert found["after"]["pushed_size"] == pytest.approx(found["before"]["pushed_size"], rel=0.15)


def save(lab: Lab, image: str, file: Path) -> Path:
    env = process.environment(DOCKER_HOST=lab.docker_host, HOME="/nonexistent")
    docker = "/usr/bin/docker"
    process.run([docker, "pull", "--quiet", image], timeout=120, env=env)
    process.run([docker, "save", "--output", file, image], timeout=120, env=env)
    process.run([docker, "image", "rm", image], timeout=60, env=env)
    return file


def test_the_command_in_a_pull_request_measures_its_proof_once_more(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": HEALTHY.format(base=base.pinned)})
    base.move()
    (proved,) = world.run().document["updates"]
    (page,) = world.pages()
    found = re.search(r"^refit compare (--at .+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None

    again = compared(world, *shlex.split(found[1]))

    assert again["fixed"] == proved["vulnerabilities"]["fixed"]
    assert (again["before"]["size"], again["after"]["size"]) == (
        proved["size"]["before"],
        proved["size"]["after"],
    )
    assert again["after"]["health"] == "healthy"
    assert len(world.pages()) == 1


def test_every_measurement_is_a_point_of_the_time_series(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": HEALTHY.format(base=base.pinned)})
    base.move()
    (proved,) = world.run().document["updates"]

    with closing(sqlite3.connect(world.state / "refit.sqlite3")) as store:
        store.row_factory = sqlite3.Row
        points = store.execute("select * from measurements order by applied desc").fetchall()

    assert [point["size"] for point in points] == [proved["size"]["before"], proved["size"]["after"]]
    for point in points:
        assert point["base_size"] + point["own_size"] == point["size"]
        assert point["size"] > point["package_size"] > point["own_size"] > 0
        assert point["size"] > point["pushed_size"] > 0
        assert (point["wasted"], point["efficiency"], point["cache_hit_rate"]) == (0, 1.0, 0.0)
        assert point["health_seconds"] > 0
        assert point["layers"] == 2


WRONG = {
    "one word": (["debian:12"], "compare takes A B, not 1 argument\n"),
    "no such file": (["./nothing/Dockerfile", "debian:12"], "is no file here, and no image"),
    "a folder without one": (["{folder}", "debian:12"], "holds neither a Dockerfile nor an image"),
    "a build argument": (["--build-arg", "X", "{file}", "{file}"], "--build-arg takes NAME=VALUE, not 'X'"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_compared_is_told_with_what_can(world: World, words: list[str], message: str) -> None:
    (world.folder / "empty").mkdir()
    (world.folder / "Dockerfile").write_text("FROM scratch\n")
    places = {"folder": world.folder / "empty", "file": world.folder / "Dockerfile"}
    ended = world.refit("compare", *(word.format(**places) for word in words))
    assert ended.code == 2
    assert message in ended.err
