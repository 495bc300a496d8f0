"""deploy/compose.yaml, brought up for real: on one machine, with an engine of its own, with many services."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from deploy.lab import Lab
from deploy.lab.ports import free_port
from tests.e2e.compose import Compose, engine_here, project
from tests.e2e.images import base, docker, gateway, standin
from tests.e2e.machines import ONLY_MONTHLY
from tests.e2e.relay import relayed
from tests.e2e.world import ROOT, World
from tests.github_server.server import GitHubServer
from tests.newer import Newer

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]
WRITES, READS = "ghp_writes", "ghp_reads"
SHOP = "acme/shop"


@pytest.fixture
def alone(lab: Lab, newer_docker: Newer, own_image: str, tmp_path: Path) -> Iterator[Compose]:
    """`serve` and nothing else, as the first lines of the file say; built on what is built already."""
    assert own_image  # or its build would need the authorities of this machine
    mine = f"composed/{tmp_path.name.lower()}"
    made = project(
        lab,
        newer_docker,
        tmp_path,
        refit={"schedule": ONLY_MONTHLY},
        variables={"REFIT_IMAGE": mine, "REFIT_PORT": str(free_port())},
        # The base that is here, and the file's own context, which is relative to the project's folder.
        services={"serve": {"build": {"context": str(ROOT), "args": {"BASE": base(lab)}}}},
    )
    with made as running:
        running("up", "--detach", "--build")
        yield running
    docker(lab, "rmi", "--force", mine)


def test_one_service_is_healthy_owns_its_state_and_can_write_nothing_else(alone: Compose) -> None:
    alone.wait_healthy("serve")
    port = alone("port", "serve", "8484").strip()

    assert httpx.get(f"http://{port}/readyz", timeout=10).json()["ready"] is True
    assert port.startswith("127.0.0.1:")
    owner = alone("exec", "-T", "serve", "stat", "-c", "%u:%g %a", "/var/lib/refit").strip()
    assert owner == "10001:10001 700"
    tried = (
        "touch /etc/x /opt/refit/x; touch /var/lib/refit/x && ls /etc/x /opt/refit/x /var/lib/refit/x; true"
    )
    assert alone("exec", "-T", "serve", "sh", "-c", tried).strip() == "/var/lib/refit/x"


def test_a_service_that_dies_comes_back_with_its_state_and_stops_within_its_grace(alone: Compose) -> None:
    alone.wait_for("serve", "done: 0 updates")
    died = alone.state("serve")["State"]["Pid"]

    os.kill(died, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (state := alone.state("serve"))["State"]["Pid"] in (0, died):
        assert time.monotonic() < deadline, state["State"]
        time.sleep(0.2)
    alone.wait_healthy("serve")
    schedule = alone("exec", "-T", "serve", "refit", "schedule")
    alone("stop", "serve")

    assert state["RestartCount"] == 1
    assert "0 updates" in schedule
    assert alone.logs("serve").count("done: 0 updates") == 1
    assert alone.state("serve")["State"]["ExitCode"] == 0
    assert "SIGTERM: stopping" in alone.logs("serve")


def test_a_forgotten_configuration_is_named_and_not_made_up(alone: Compose) -> None:
    (alone.folder / "refit.yaml").unlink()

    with pytest.raises(AssertionError, match=r"refit\.yaml"):
        alone("up", "--detach", "--no-build", "--force-recreate")
    assert not (alone.folder / "refit.yaml").exists()


@pytest.fixture
def many(
    lab: Lab, newer_docker: Newer, own_image: str, github: GitHubServer, tmp_path: Path
) -> Iterator[Compose]:
    """Everything in the file, with an engine of its own; what is on this machine's loopback is relayed."""
    here = gateway(lab)
    shutil.copytree(lab.trivy_cache, tmp_path / "trivy")
    with ExitStack() as stack:
        registry = f"{here}:{stack.enter_context(relayed(here, int(lab.registry.rpartition(':')[2])))}"
        api = f"http://{here}:{stack.enter_context(relayed(here, github.port))}/api/v3"
        folder = tmp_path / "many"
        folder.mkdir()
        made = project(
            lab,
            newer_docker,
            folder,
            refit=configuration(registry, api) | {"builder": {"firewall_image": own_image}},
            variables={
                "REFIT_IMAGE": own_image,
                "POSTGRES_IMAGE": standin(lab, "postgres"),
                "ENGINE_IMAGE": standin(lab, "engine"),
                "GITHUB_TOKEN": READS,
                "REFIT_READ_TOKEN": READS,
                "REFIT_WRITE_TOKEN": WRITES,
                "REFIT_PORT": str(free_port()),
            },
            services={
                "engine": engine_here(
                    [f"--registry-mirror=http://{registry}", f"--insecure-registry=http://{registry}"]
                ),
                "prove": {"volumes": [f"{tmp_path / 'trivy'}:/trivy:ro"]},
            },
        )
        yield stack.enter_context(made)


def configuration(registry: str, api: str) -> dict[str, object]:
    """One refit.yaml for all services, as the file says."""
    return {
        "store": "postgresql://refit@postgres/refit",
        "store_password": {"env": "REFIT_STORE_PASSWORD"},
        "workers": {"serve": []},
        "projects": [{"name": SHOP}],
        "rules": [{"minimum_age": "0 s"}],
        "schedule": ONLY_MONTHLY,
        "registries": [
            {"host": "docker.io", "mirrors": [f"http://{registry}"]},
            {"host": registry, "insecure": True},
        ],
        "scanner": {"database_folder": "/trivy", "offline": True},
        "github": {
            "url": api,
            "token": {"env": "GITHUB_TOKEN"},
            "author": "refit",
            "seconds_between_writes": 0,
        },
    }


def test_many_services_prove_and_publish_a_cycle_with_an_engine_of_their_own(
    many: Compose, world: World, github: GitHubServer, own_image: str
) -> None:
    moving = world.base()
    github.create_token(login="refit", value=WRITES)
    parts = ("metadata", "contents", "pull_requests", "issues", "checks", "statuses")
    github.create_token(login="reader", value=READS, permissions=dict.fromkeys(parts, "read"))
    name = f"{moving.repository}:bookworm-slim"
    files = {"Dockerfile": f"FROM {name}@{moving.stale}\nHEALTHCHECK CMD true\nCMD sleep 600\n"}
    github.create_repository(SHOP, files, roles={"refit": "write", "reader": "read"})
    moving.move()

    many("up", "--detach", "--wait", "engine")
    many.load(own_image)
    many("--profile", "engine", "--profile", "many", "up", "--detach", "--no-build", "--wait", seconds=300)
    many.wait_for("serve", "done: 1 updates")

    ((request, _),) = github.repository(SHOP).pulls()
    body = request.body or ""
    assert "level: build + health" in body, f"{body}\n{many.logs('prove')}"
    assert "Builds were kept from loopback, private and link-local addresses" in body
    assert {exchange.login for exchange in github.writes()} == {"refit"}
    assert "reader" in {exchange.login for exchange in github.exchanges}
    for service in ("serve", "prove", "publish"):
        assert WRITES not in many.logs(service)
        assert many.state(service)["RestartCount"] == 0
