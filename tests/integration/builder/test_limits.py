"""Builds within limits, on a real engine: memory, room on the disk, secrets, cache, the network."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from bot import process
from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.guard import open_network
from bot.errors import BuildFailed, EngineError
from bot.model.evidence import Build
from bot.ports import BuildRequest
from deploy.lab import Lab

pytestmark = pytest.mark.lab

BASE = "library/debian:bookworm-slim"


@dataclass(frozen=True)
class Bench:
    """A builder on the lab's engine, with settings of the test's own."""

    settings: BuilderSettings
    base: str
    folder: Path
    prefix: str

    def build(
        self, *lines: str, secrets: dict[str, str] | None = None, settings: BuilderSettings | None = None
    ) -> Build:
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text("\n".join((f"FROM {self.base}", *lines, "")))
        request = BuildRequest(self.folder, dockerfile, self.prefix, secrets=secrets or {}, seconds=60)
        return DockerBuilder(settings or self.settings).build(request)


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    settings, prefix = BuilderSettings(lab.docker_host), f"refit-{uuid.uuid4().hex[:8]}"
    try:
        yield Bench(settings, f"debian@{lab.stale[BASE]}", tmp_path, prefix)
    finally:
        DockerBuilder(settings).remove(prefix)


def test_a_step_that_eats_memory_is_ended_and_named(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        bench.build("RUN tail /dev/zero", settings=replace(bench.settings, memory=200_000_000))
    assert "the build was ended at [2/2] RUN tail /dev/zero: a step used" in raised.value.message
    assert "builder.memory" in raised.value.hint


def test_a_disk_without_room_is_the_engines_trouble_and_builds_nothing(bench: Bench) -> None:
    with pytest.raises(EngineError, match="must stay free") as raised:
        bench.build("RUN sleep 30", settings=replace(bench.settings, min_free=10**18))
    assert not isinstance(raised.value, BuildFailed)
    assert "builder.min_free" in raised.value.hint


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


def test_the_build_cache_stays_under_its_limit(bench: Bench) -> None:
    bench.build("RUN head -c 30000000 /dev/zero > /thirty")
    DockerBuilder(replace(bench.settings, cache=1_000_000)).remove(bench.prefix)
    with_client = docker.DockerClient(base_url=bench.settings.host)
    try:
        left = sum(one["Size"] for one in with_client.df()["BuildCache"] if not one["Shared"])
    finally:
        with_client.close()
    assert left <= 1_000_000


@pytest.fixture
def neighbour(bench: Bench) -> Iterator[tuple[str, int]]:
    """A service of this machine on the engine's bridge, as a cloud's metadata service is one."""
    client = docker.DockerClient(base_url=bench.settings.host)
    name = client.networks.get("bridge").attrs["Options"]["com.docker.network.bridge.name"]
    client.close()
    told = process.run(["ip", "-4", "-o", "address", "show", "dev", name], timeout=20).text.split()
    with socket.socket() as listening:
        listening.bind((told[told.index("inet") + 1].partition("/")[0], 0))
        listening.listen()
        try:
            yield listening.getsockname()
        finally:
            open_network(bench.settings)


def test_a_closed_network_keeps_a_build_from_the_neighbourhood(
    bench: Bench, neighbour: tuple[str, int]
) -> None:
    address, port = neighbour
    reach = f"RUN timeout 4 bash -c '</dev/tcp/{address}/{port}'"
    closed = replace(bench.settings, closed_network=True)
    bench.build(reach)
    with pytest.raises(BuildFailed, match="exit code 124"):
        bench.build(reach, settings=closed)
    bench.build(reach, settings=replace(closed, reachable=(address,)))


def test_where_the_network_cannot_be_closed_nothing_is_built(bench: Bench) -> None:
    """An engine elsewhere has its bridge elsewhere."""
    command = bench.folder / "docker"
    command.write_text("#!/bin/sh\nexit 0\n")
    command.chmod(0o755)
    settings = BuilderSettings("tcp://127.0.0.1:1", docker=command, closed_network=True)
    with pytest.raises(EngineError):
        bench.build(settings=settings)
