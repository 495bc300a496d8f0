"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bot.builder import BuilderSettings
from deploy.lab import Lab, archive
from tests import newer, object_store, synapse
from tests.newer import Newer, NewerEngine
from tests.object_store import ObjectStore
from tests.postgresql import Cluster, cluster
from tests.synapse import Synapse

# The same examples in every run, however slow the machine: a change breaks a test, chance does not.
# To look for new ones: HYPOTHESIS_PROFILE=explore make test TESTS=tests/unit
_HOWEVER_SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", _HOWEVER_SLOW, derandomize=True, database=None)
settings.register_profile("explore", _HOWEVER_SLOW, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


# One engine, one registry whose tags move: what uses real parts goes one after the other …
_REAL = ("contract", "e2e", "integration")
# … but for what starts all that it needs itself, for each test or file.
_ALONE = (
    "tests/contract/test_forge.py",
    "tests/contract/test_registry.py",
    "tests/integration/actions/",
    "tests/integration/forge/",
    "tests/integration/registry/",
)


class RealTogether(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
    """Shares tests out by file where pytest runs in several processes; those on real parts stay together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        real = file.split("/")[1] in _REAL and not file.startswith(_ALONE)
        return "real" if real else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RealTogether:
    """Let `pytest -n 2` run the unit tests while the others wait for engine and scanner."""
    return RealTogether(config, log)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab with its real parts, up for the whole run; its folder is `$REFIT_LAB_DIR`, else `.lab`.

    Where it cannot start, the tests that ask for it fail, and say what to install.
    """
    folder = Path(os.environ.get("REFIT_LAB_DIR") or Path(__file__).parents[1] / ".lab")
    with Lab.start(folder) as running:
        yield running


@pytest.fixture(scope="session")
def newer_docker() -> Newer:
    """The docker command of Debian 13 with its plug-ins buildx and compose, unpacked in the lab's folder."""
    return newer.ensure()


@pytest.fixture(scope="session")
def newer_engine(lab: Lab, newer_docker: Newer) -> Iterator[NewerEngine]:
    """A private engine of Debian 13 beside the lab's, with the same registry for docker.io's images."""
    with newer.running(newer_docker, newer_docker.folder / "run", lab.registry) as running:
        yield running


@pytest.fixture(scope="session")
def containerd_engine(lab: Lab, newer_docker: Newer) -> Iterator[NewerEngine]:
    """Another of Debian 13's, which keeps its images in containerd's store, as Docker 29 does."""
    folder = newer_docker.folder / "run-containerd"
    with newer.running(newer_docker, folder, lab.registry, features="containerd-snapshotter") as running:
        yield running


@pytest.fixture(params=["built in", pytest.param("buildx", marks=pytest.mark.long)])
def builds_with(request: pytest.FixtureRequest, lab: Lab) -> BuilderSettings:
    """Each way to reach BuildKit: built into Docker 20.10 and, in the long tests, buildx of Docker 26.1."""
    settings = BuilderSettings(lab.docker_host)
    if request.param == "buildx":
        newer: NewerEngine = request.getfixturevalue("newer_engine")
        settings = newer.settings
    return replace(settings, reachable=archive.addresses())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A private PostgreSQL server for the whole run; each test takes a database of its own."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A real Matrix homeserver, started once for the whole run where a test asks for it."""
    with synapse.running(tmp_path_factory.mktemp("synapse")) as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[ObjectStore]:
    """A server that speaks S3, started once for the whole run where a test asks for it."""
    with object_store.running() as server:
        yield server
