"""The lab's engine builds the sample from docker.io's names, which the loopback registry answers for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.process import Finished, environment, run
from deploy.lab import Lab
from deploy.lab.sample import pin

pytestmark = pytest.mark.lab

STAND_IN = '{{index .Config.Labels "dev.refit.stand-in"}}'


@dataclass(frozen=True, slots=True)
class Docker:
    """Debian's docker command, with BuildKit built in, against the lab's engine."""

    host: str

    def __call__(self, *words: str | Path, check: bool = True) -> Finished:
        env = environment(DOCKER_HOST=self.host, DOCKER_BUILDKIT="1", HOME="/nonexistent")
        return run(["/usr/bin/docker", *words], timeout=600, env=env, check=check)


@pytest.fixture
def docker(lab: Lab) -> Docker:
    return Docker(lab.docker_host)


@pytest.fixture
def fresh_tags(lab: Lab) -> Iterator[None]:
    """Every tag names its fresh image, as after the month's rebuild upstream; stale again afterwards."""
    lab.freshen()
    yield
    lab.reset()


def test_the_engine_pulls_by_the_name_of_docker_io_what_the_lab_made(lab: Lab, docker: Docker) -> None:
    reference = f"debian@{lab.stale['library/debian:bookworm-slim']}"
    docker("pull", "--quiet", reference)
    assert "Debian bookworm" in docker("image", "inspect", "--format", STAND_IN, reference).text


@pytest.mark.usefixtures("fresh_tags")
def test_a_moved_tag_gives_the_engine_the_fresh_image(lab: Lab, docker: Docker) -> None:
    docker("pull", "--quiet", "debian:bookworm-slim")
    digests = docker("image", "inspect", "--format", "{{json .RepoDigests}}", "debian:bookworm-slim").text
    assert lab.fresh["library/debian:bookworm-slim"] in digests


@pytest.mark.parametrize("target", ["backend", "frontend"])
@pytest.mark.parametrize("side", ["stale", "fresh"])
def test_the_sample_builds_on_both_bases_and_gets_healthy_without_a_network(
    lab: Lab, docker: Docker, tmp_path: Path, target: str, side: str
) -> None:
    context = lab.sample(tmp_path / "sample") / target
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(pin(dockerfile.read_text(), getattr(lab, side), ""))
    docker("build", "--quiet", "--tag", f"lab-test/{target}:{side}", context)

    name = f"lab-test-{target}-{side}"
    docker("rm", "--force", name, check=False)
    docker("run", "--detach", "--name", name, "--network=none", "--read-only", "--tmpfs=/tmp",
           "--cap-drop=ALL", "--health-interval=0.5s", f"lab-test/{target}:{side}")  # fmt: skip
    try:
        wait_until(lambda: health(docker, name) == "healthy")
        assert health(docker, name) == "healthy", docker("logs", name).tail
    finally:
        docker("rm", "--force", name)


def health(docker: Docker, name: str) -> str:
    return docker("inspect", "--format", "{{.State.Health.Status}}", name).text.strip()


def wait_until(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
