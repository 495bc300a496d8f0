"""What every builder owes, on the fake and on a real engine."""

from __future__ import annotations

import json
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.builder import BuilderSettings, DockerBuilder
from bot.errors import BuildFailed, EngineError
from bot.model.evidence import Build, HealthState
from bot.model.target import HealthPlan
from bot.ports import Builder, BuildRequest
from deploy.lab import Lab
from tests.fakes.builder import FakeBuilder
from tests.newer import NewerEngine

BASE = "library/debian:bookworm-slim"


@dataclass(frozen=True)
class World:
    """A builder, and a folder to write Dockerfiles in; every image's name starts with `prefix`."""

    builder: Builder
    base: str
    folder: Path
    prefix: str

    def build(self, *lines: str, name: str = "image") -> Build:
        dockerfile = self.folder / f"{name}.Dockerfile"
        dockerfile.write_text("\n".join((f"FROM {self.base}", *lines, "")))
        (self.folder / "context").mkdir(exist_ok=True)
        return self.builder.build(BuildRequest(self.folder / "context", dockerfile, f"{self.prefix}-{name}"))


# Docker 20.10 with BuildKit built in; Docker 26.1 with buildx, its images in containerd's store or its own.
REAL = [
    pytest.param("docker", marks=pytest.mark.lab),
    pytest.param("containerd", marks=pytest.mark.lab),
    pytest.param("buildx", marks=[pytest.mark.lab, pytest.mark.long]),
]


@pytest.fixture(params=["fake", *REAL])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    prefix = f"refit-{uuid.uuid4().hex[:8]}"
    if request.param == "fake":
        yield World(FakeBuilder(), "debian@sha256:" + "1" * 64, tmp_path, prefix)
        return
    lab: Lab = request.getfixturevalue("lab")
    settings = BuilderSettings(lab.docker_host)
    if request.param != "docker":
        name = "newer_engine" if request.param == "buildx" else "containerd_engine"
        newer: NewerEngine = request.getfixturevalue(name)
        settings = newer.settings
    made = World(DockerBuilder(settings), f"debian@{lab.stale[BASE]}", tmp_path, prefix)
    try:
        yield made
    finally:
        made.builder.remove(prefix)


def test_it_names_its_engine(world: World) -> None:
    assert world.builder.available().startswith("docker ")


def test_a_build_has_an_image_id_and_its_layers_from_the_bottom(world: World) -> None:
    built = world.build("RUN mkdir /made")
    assert built.image.startswith("sha256:")
    assert len({layer.diff_id for layer in built.layers}) == 2
    assert "mkdir /made" in built.layers[-1].instruction
    assert built.seconds > 0


def test_the_size_is_the_sum_of_the_layers(world: World) -> None:
    built = world.build("RUN mkdir /made")
    assert built.size == sum(layer.size for layer in built.layers)
    assert built.layers[0].size > 10_000_000 > built.layers[1].size > 0


def test_an_image_that_the_engine_has_is_measured_as_it_was_when_built(world: World) -> None:
    built = world.build("RUN mkdir /made")
    found = world.builder.measure(built.image)
    assert (found.image, found.size) == (built.image, built.size)
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in built.layers]
    with pytest.raises(EngineError):
        world.builder.measure(f"{world.prefix}-never")


def test_the_steps_name_the_instructions(world: World) -> None:
    built = world.build("RUN mkdir /one", "RUN mkdir /two")
    names = [step.name for step in built.steps if "RUN" in step.name]
    assert [name.split("RUN ")[1] for name in names] == ["mkdir /one", "mkdir /two"]
    assert not any(step.cached for step in built.steps if "RUN" in step.name)


def test_nothing_below_the_base_comes_from_the_cache_of_another_build(world: World) -> None:
    world.build("RUN mkdir /one", name="first")
    again = world.build("RUN mkdir /one", name="second")
    assert [step.cached for step in again.steps if "RUN" in step.name] == [False]


def test_a_build_that_fails_says_the_step_the_code_and_what_it_wrote(world: World) -> None:
    with pytest.raises(BuildFailed) as raised:
        world.build("RUN echo a problem && exit 3")
    assert "RUN echo a problem && exit 3 failed with exit code 3" in raised.value.message
    assert raised.value.log == "a problem"
    assert raised.value.hint


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (("HEALTHCHECK CMD true", 'CMD ["sleep", "60"]'), HealthState.HEALTHY),
        (("HEALTHCHECK CMD false", 'CMD ["sleep", "60"]'), HealthState.UNHEALTHY),
        (('CMD ["sleep", "60"]',), HealthState.STARTED),
        (("HEALTHCHECK CMD false", 'CMD ["sh", "-c", "exit 7"]'), HealthState.EXITED),
    ],
    ids=["healthy", "never healthy", "no HEALTHCHECK", "exits"],
)
def test_a_started_image_is_found_as_it_is(world: World, lines: tuple[str, ...], state: HealthState) -> None:
    built = world.build(*lines)
    waits_for_it = state in (HealthState.HEALTHY, HealthState.EXITED)
    plan = HealthPlan(seconds=60 if waits_for_it else 2)
    found = world.builder.health(built.image, plan, name=f"{world.prefix}-run")
    assert found.state is state
    assert found.seconds >= 0


def test_the_plans_command_replaces_the_images_own(world: World) -> None:
    built = world.build("HEALTHCHECK CMD false", 'CMD ["sleep", "60"]')
    plan = HealthPlan(command=("true",), seconds=60)
    found = world.builder.health(built.image, plan, name=f"{world.prefix}-run")
    assert found.state is HealthState.HEALTHY


def test_an_image_that_is_not_there_cannot_be_started(world: World) -> None:
    with pytest.raises(EngineError):
        world.builder.health("sha256:" + "0" * 64, HealthPlan(), name=f"{world.prefix}-run")


def test_what_is_removed_is_gone_and_the_rest_stays(world: World) -> None:
    gone = world.build('CMD ["sleep", "60"]', "RUN mkdir /gone", name="a-image")
    kept = world.build('CMD ["sleep", "60"]', "RUN mkdir /kept", name="b-image")
    for _ in range(2):  # a second time, there is nothing to remove
        world.builder.remove(f"{world.prefix}-a")
    with pytest.raises(EngineError):
        world.builder.health(gone.image, HealthPlan(seconds=1), name=f"{world.prefix}-run")
    plan = HealthPlan(seconds=1)
    assert world.builder.health(kept.image, plan, name=f"{world.prefix}-run").state is HealthState.STARTED


def test_an_empty_prefix_removes_nothing_and_is_refused(world: World) -> None:
    built = world.build('CMD ["sleep", "60"]')
    with pytest.raises(EngineError, match="empty prefix"):
        world.builder.remove("")
    found = world.builder.health(built.image, HealthPlan(seconds=1), name=f"{world.prefix}-run")
    assert found.state is HealthState.STARTED


def test_a_saved_image_can_be_read_layer_by_layer(world: World, tmp_path: Path) -> None:
    built, file = world.build("RUN mkdir /made"), tmp_path / "image.tar"

    world.builder.save(built.image, file)

    with tarfile.open(file) as tar:
        saved = tar.extractfile("manifest.json")
        assert saved is not None
        (image,) = json.load(saved)
        assert len(image["Layers"]) == len(built.layers)
        assert set(image["Layers"]) <= set(tar.getnames())


def test_an_image_that_is_not_there_cannot_be_saved(world: World, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        world.builder.save(f"{world.prefix}-nothing", tmp_path / "image.tar")
