"""The unit of deploy/systemd under a real systemd: it works, holds, is killed, comes back and stops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from deploy.lab import Lab
from tests.e2e.images import docker, gateway, standin
from tests.e2e.machines import ONLY_MONTHLY
from tests.e2e.privileges import as_flags
from tests.e2e.relay import relayed
from tests.e2e.world import ROOT, World
from tests.github_server.server import GitHubServer

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]
UNIT = ROOT / "deploy" / "systemd" / "refit.service"
SHOP, TOKEN, NAME = "acme/shop", "ghp_of_the_unit", "machine-of-this-test"
TEMPORARY = ["--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with systemd, in a container."""

    lab: Lab

    def __call__(self, *words: str, check: bool = True) -> str:
        """Run a command there, as root."""
        return docker(self.lab, "exec", NAME, *words, check=check)

    def shows(self, name: str) -> str:
        """A property of the unit."""
        return self("systemctl", "show", "--value", "--property", name, "refit")

    def log(self) -> str:
        """All that the unit logged."""
        return self("journalctl", "--no-pager", "--output", "cat", "--unit", "refit")

    def wait_for(self, words: str, seconds: float = 400) -> None:
        """Wait until the unit has logged these words."""
        deadline = time.monotonic() + seconds
        while words not in (log := self.log()):
            assert time.monotonic() < deadline, f"no {words!r} in\n{log}"
            time.sleep(0.5)


@pytest.fixture
def machine(lab: Lab, own_image: str) -> Iterator[Machine]:
    """A booted machine with Refit installed as the unit's first lines say."""
    image = standin(lab, "machine", "--build-arg", f"REFIT={own_image}")
    mounts = [f"{UNIT}:/etc/systemd/system/refit.service:ro", f"{lab.trivy_cache}:/srv/trivy:ro"]
    volumes = [word for mount in mounts for word in ("--volume", mount)]
    docker(lab, "run", "--detach", "--name", NAME, *as_flags(), *TEMPORARY, *volumes, image)
    try:
        made = Machine(lab)
        made("sh", "-c", "until systemctl is-system-running; do sleep 0.2; done", check=False)
        yield made
    finally:
        docker(lab, "rm", "--force", "--volumes", NAME)


def configure(machine: Machine, registry: str, api: str) -> None:
    """Write refit.yaml and the token where the unit looks for them."""
    settings = {
        "projects": [{"name": SHOP}],
        "rules": [{"minimum_age": "0 s"}],
        "schedule": ONLY_MONTHLY,
        "registries": [
            {"host": "docker.io", "mirrors": [f"http://{registry}"]},
            {"host": registry, "insecure": True},
        ],
        "scanner": {"database_folder": "/srv/trivy", "offline": True},
        "github": {"url": api, "token": {"env": "GITHUB_TOKEN"}, "seconds_between_writes": 0},
    }
    write = "install -D -m {mode} -g refit /dev/stdin {path} <<< '{text}'"
    for mode, path, text in (
        ("0640", "/etc/refit/refit.yaml", json.dumps(settings)),
        ("0600", "/etc/refit/environment", f"GITHUB_TOKEN={TOKEN}"),
    ):
        machine("bash", "-c", write.format(mode=mode, path=path, text=text))


def test_the_unit_works_inside_its_walls_comes_back_and_stops(
    machine: Machine, lab: Lab, world: World, github: GitHubServer
) -> None:
    base = world.base()
    github.create_token(login="refit", value=TOKEN)
    pinned = f"{base.repository}:bookworm-slim@{base.stale}"
    github.create_repository(SHOP, {"Dockerfile": f"FROM {pinned}\n"}, roles={"refit": "write"})
    base.move()
    with ExitStack() as stack:
        here = gateway(lab)
        registry = f"{here}:{stack.enter_context(relayed(here, int(lab.registry.rpartition(':')[2])))}"
        api = f"http://{here}:{stack.enter_context(relayed(here, github.port))}/api/v3"
        configure(machine, registry, api)

        machine("systemctl", "start", "refit")
        machine.wait_for(": done: ")
        ready = machine("curl", "--silent", "--show-error", "http://127.0.0.1:8484/readyz")

        assert json.loads(ready)["ready"] is True
        assert ": done: 1 updates" in machine.log()
        assert len(list(github.repository(SHOP).pulls())) == 1
        assert TOKEN not in machine.log()
        first = holds(machine)
        machine("bash", "-c", f"kill -KILL {first}")
        machine(
            "sh",
            "-c",
            "until systemctl is-active refit && curl -sf 127.0.0.1:8484/readyz; do sleep 0.5; done",
        )
        assert machine.shows("NRestarts") == "1"
        assert machine.shows("MainPID") != first
        machine("systemctl", "stop", "refit")

    assert (machine.shows("ActiveState"), machine.shows("Result")) == ("inactive", "success")
    assert "SIGTERM: stopping" in machine.log()
    assert machine.log().count(": done: 1 updates") == 1


def holds(machine: Machine) -> str:
    """See that the unit's process, and even root in its place, writes nothing but its state; gives its id."""
    process = machine.shows("MainPID")
    tried = "for at in /etc /opt/refit /usr /home /var/lib/refit; do touch $at/x; ls $at/x; done; true"
    written = machine("nsenter", "--target", process, "--mount", "--", "sh", "-c", tried)
    status = machine("grep", "-E", "^(NoNewPrivs|CapBnd|Seccomp):", f"/proc/{process}/status").split()
    assert written.split() == ["/var/lib/refit/x"]
    assert status == ["CapBnd:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2"]
    return process
