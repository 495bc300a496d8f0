"""Builds within limits, on a real engine: memory, room on the disk, secrets, cache."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import docker
import pytest

from bot.builder import DockerBuilder
from bot.errors import BuildFailed, EngineError
from deploy.lab import Lab
from deploy.lab.engine import Engine
from tests.integration.builder.bench import ENGINES, Bench

pytestmark = pytest.mark.lab
on_both = pytest.mark.parametrize("bench", ENGINES, indirect=True)


@on_both
def test_a_step_that_eats_memory_is_ended_and_named(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build("RUN tail /dev/zero", settings=replace(bench.settings, memory=200_000_000))
    assert "the build was ended at [2/2] RUN tail /dev/zero: a step used" in raised.value.message
    assert "builder.memory" in raised.value.hint


@pytest.fixture(scope="module")
def under_systemd(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that names its control groups for systemd, as it does on a machine that systemd runs."""
    options = ("--exec-opt=native.cgroupdriver=systemd",)
    engine = Engine(tmp_path_factory.mktemp("systemd"), lab.registry, options=options)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()


@pytest.mark.parametrize("bench", ENGINES[:1], indirect=True)
def test_a_step_that_eats_memory_is_seen_under_systemd_too(bench: Bench, under_systemd: Engine) -> None:
    settings = replace(bench.settings, docker_host=under_systemd.host, memory=200_000_000)
    with pytest.raises(BuildFailed, match="RUN tail /dev/zero: a step used"):
        bench.build("RUN tail /dev/zero", settings=settings)


@on_both
def test_a_disk_without_room_is_the_engines_trouble_and_builds_nothing(bench: Bench) -> None:
    with pytest.raises(EngineError, match="must stay free") as raised:
        bench.build("RUN sleep 30", settings=replace(bench.settings, min_free=10**18))
    assert not isinstance(raised.value, BuildFailed)
    assert "builder.min_free" in raised.value.hint


@on_both
def test_a_secret_is_mounted_for_the_step_and_is_nowhere_afterwards(bench: Bench) -> None:
    value = uuid.uuid4().hex
    mount = "RUN --mount=type=secret,id=npm"
    built = bench.build(f"{mount} test $(cat /run/secrets/npm | wc -c) = 32", secrets={"npm": value})
    assert value not in str(built)
    with pytest.raises(BuildFailed) as raised:
        bench.build(f"{mount} cat /run/secrets/npm; exit 3", secrets={"npm": value})
    assert set(raised.value.log.splitlines()) == {"***"}
    with pytest.raises(BuildFailed):
        bench.build(f"{mount} cat /run/secrets/npm")


@on_both
def test_the_build_cache_stays_under_its_limit(bench: Bench) -> None:
    bench.build("RUN head -c 30000000 /dev/zero > /thirty")
    DockerBuilder(replace(bench.settings, cache=1_000_000)).remove(bench.prefix)
    with_client = docker.DockerClient(base_url=bench.settings.host)
    try:
        left = sum(one["Size"] for one in with_client.df()["BuildCache"] if not one["Shared"])
    finally:
        with_client.close()
    assert left <= 1_000_000
