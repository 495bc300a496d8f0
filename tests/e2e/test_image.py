"""Refit's own image: built, scanned and audited by Refit itself, started, killed, started again, stopped."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bot.builder import BuilderSettings, guarded
from bot.model.evidence import BuildNetwork
from bot.settings.load import load
from deploy.lab import Lab
from tests.e2e.images import docker
from tests.e2e.machines import NEVER
from tests.e2e.world import ROOT, World

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]

NAME = "own-image-of-this-test"


def test_it_keeps_its_budget_and_is_nobody(lab: Lab, own_image: str) -> None:
    inspected = json.loads(docker(lab, "image", "inspect", own_image))[0]
    (ours,) = load(ROOT / ".github" / "refit-bot.yaml").projects
    budget = next(target.budget for target in ours.targets if target.name == "refit")

    assert inspected["Size"] <= (budget or 0)
    assert inspected["Config"]["User"] == "10001:10001"
    assert inspected["Config"]["Healthcheck"]["Test"][0] == "CMD"
    assert inside(lab, own_image, "id -u; ls /src; which pip gcc strip; true") == "10001"


def test_every_compiled_module_still_loads(lab: Lab, own_image: str) -> None:
    """They were stripped of what debuggers read, and of no more."""
    script = (
        "import ctypes, pathlib, sys;"
        "[ctypes.CDLL(str(file)) for root in sys.path for file in pathlib.Path(root).rglob('*.so')"
        " if '/opt/' in root];"
        "print('all')"
    )

    assert inside(lab, own_image, f'python3 -c "{script}"') == "all"


def inside(lab: Lab, image: str, script: str) -> str:
    """Run a few words of shell in an image, with no network."""
    return docker(lab, "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", script)


def test_it_is_scanned_and_audited_by_refit_itself(world: World, own_image: str) -> None:
    scanned = world.refit("rescan", own_image)
    audited = world.refit("audit", own_image, "--fail-on", "error")

    assert scanned.code == 0, scanned.err
    assert own_image in scanned.out
    assert audited.code == 0, audited.out


def test_an_engine_keeps_builds_from_private_addresses_with_it(lab: Lab, own_image: str) -> None:
    settings = BuilderSettings(lab.docker_host, firewall_image=own_image, closed_network=True)
    with guarded(settings, NAME) as guard:
        assert guard.network() == BuildNetwork(closed=True)


def test_it_starts_is_killed_starts_again_and_stops(lab: Lab, own_image: str, tmp_path: Path) -> None:
    config = tmp_path / "refit.yaml"
    config.write_text(json.dumps({"schedule": NEVER, "builder": {"enabled": False}}), encoding="utf-8")
    hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
    mount = f"{config}:/etc/refit/refit.yaml:ro"
    docker(lab, "run", "-d", "--name", NAME, *hardened, "-v", mount, own_image)
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
    deadline = time.monotonic() + 400
    while (state := json.loads(docker(lab, "inspect", NAME))[0]["State"])["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
