"""Refit's own image: built, scanned and audited by Refit itself, started, killed, started again, stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import process
from deploy.lab import Lab
from tests.e2e.machines import NEVER
from tests.e2e.world import DEBIAN, ROOT, World

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
NAME = "own-image-of-this-test"


def docker(lab: Lab, *words: str | Path, seconds: float = 120) -> str:
    env = process.environment(DOCKER_HOST=lab.docker_host, DOCKER_BUILDKIT="1", HOME="/nonexistent")
    return process.run(["/usr/bin/docker", *words], timeout=seconds, env=env, cwd=ROOT).text.strip()


@pytest.fixture(scope="module")
def image(lab: Lab) -> Iterator[str]:
    """The image, built from this checkout as the README says, and pushed where it can be scanned."""
    name = f"{lab.registry}/own/bot:test"
    base = f"{lab.registry}/library/debian@{lab.fresh[DEBIAN]}"
    words = ["build", "-f", "deploy/Dockerfile", "-t", name, "--build-arg", f"BASE={base}"]
    docker(lab, *words, "--secret", f"id=ca,src={AUTHORITIES}", ".", seconds=900)
    docker(lab, "push", "-q", name)
    yield name
    docker(lab, "rmi", "-f", name)


def test_it_is_small_enough_and_nobody(lab: Lab, image: str) -> None:
    config = json.loads(docker(lab, "image", "inspect", image))[0]["Config"]

    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    inside = docker(
        lab,
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "sh",
        image,
        "-c",
        "id -u; ls /src; which pip gcc; true",
    )
    assert inside == "10001"


def test_it_is_scanned_and_audited_by_refit_itself(world: World, image: str) -> None:
    scanned = world.refit("rescan", image)
    audited = world.refit("audit", image, "--fail-on", "error")

    assert scanned.code == 0, scanned.err
    assert image in scanned.out
    assert audited.code == 0, audited.out


def test_it_starts_is_killed_starts_again_and_stops(lab: Lab, image: str, tmp_path: Path) -> None:
    config = tmp_path / "refit.yaml"
    config.write_text(json.dumps({"schedule": NEVER, "builder": {"enabled": False}}), encoding="utf-8")
    hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
    mount = f"{config}:/etc/refit/refit.yaml:ro"
    docker(lab, "run", "-d", "--name", NAME, *hardened, "-v", mount, image)
    try:
        healthy(lab)
        docker(lab, "kill", "--signal", "KILL", NAME)
        docker(lab, "start", NAME)
        healthy(lab)
        docker(lab, "stop", "-t", "45", NAME)

        state = json.loads(docker(lab, "inspect", NAME))[0]["State"]
        assert state["ExitCode"] == 0, docker(lab, "logs", NAME)
    finally:
        docker(lab, "rm", "-f", "-v", NAME)


def healthy(lab: Lab) -> None:
    deadline = time.monotonic() + 180
    while (state := json.loads(docker(lab, "inspect", NAME))[0]["State"])["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
