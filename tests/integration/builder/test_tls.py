"""An engine behind TLS, which asks for a certificate: everything that speaks to it shows one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import process
from bot.builder import BuilderSettings, DockerBuilder
from bot.builder.client import choose_command
from bot.builder.reach import is_open
from bot.clock import SystemClock
from bot.commands.checkup import Mark, examine
from bot.convert import scanner_settings
from bot.errors import EngineError
from bot.model.target import LINUX_AMD64
from bot.ports import ScanRequest
from bot.scanner import TrivyScanner
from bot.settings import Settings
from bot.settings.services import BuilderSection, ScannerSection
from deploy.lab import Lab
from deploy.lab.engine import Engine
from deploy.lab.ports import free_port
from tests.integration.registry.authority import Authority

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as docker wants it: who vouches, and what is shown on both sides."""
    folder = tmp_path_factory.mktemp("certificates")
    shutil.copy(Authority(folder).ca_file, folder / "cert.pem")
    return folder


@pytest.fixture(scope="module")
def host(lab: Lab, certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real engine that listens on tcp, and takes nobody without a certificate."""
    address = f"tcp://127.0.0.1:{free_port()}"
    files = {"cacert": "ca", "cert": "cert", "key": "key"}
    options = [f"--tls{option}={certificates / name}.pem" for option, name in files.items()]
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(folder, lab.registry, options=(f"--host={address}", "--tlsverify", *options))
    engine.start()
    yield address
    engine.stop()


@pytest.fixture
def shown(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment as docker documents it."""
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))


@pytest.mark.usefixtures("shown")
def test_sdk_command_and_trivy_all_reach_it(host: str, lab: Lab, tmp_path: Path) -> None:
    settings = BuilderSettings(host)
    assert DockerBuilder(settings).available()

    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    docker = choose_command(settings).path
    process.run([docker, "build", "--tag", "refit-tls", tmp_path], timeout=100, env=settings.environment())
    configured = Settings(
        state=tmp_path / "state",
        builder=BuilderSection(docker_host=host),
        scanner=ScannerSection(database_folder=lab.trivy_cache, offline=True),
    )
    trivy = TrivyScanner(scanner_settings(configured), now=SystemClock().now)
    found = trivy.scan(ScanRequest("refit-tls", remote=False, digest="refit-tls", platform=LINUX_AMD64))
    assert found.vulnerabilities == ()


def test_without_a_certificate_the_answer_says_what_to_set(host: str) -> None:
    with pytest.raises(EngineError) as caught:
        DockerBuilder(BuilderSettings(host)).available()

    assert "DOCKER_CERT_PATH" in caught.value.hint


def test_certificates_that_are_not_there_are_an_error_with_words(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))

    with pytest.raises(EngineError) as caught:
        DockerBuilder(BuilderSettings(host)).available()

    assert "DOCKER_CERT_PATH" in caught.value.hint


@pytest.mark.usefixtures("shown")
def test_doctor_finds_it_fine(host: str, tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, builder=BuilderSection(docker_host=host))
    (engine,) = [one for one in examine(settings) if one.name == "engine"]

    assert engine.mark is Mark.FINE


OPEN = {
    "another machine": ("tcp://192.0.2.7:2375", True),
    "another machine by name": ("tcp://engine.example:2375", True),
    "this machine": ("tcp://127.0.0.1:2375", False),
    "this machine by name": ("tcp://localhost:2375", False),
    "this machine by IPv6": ("tcp://[::1]:2375", False),
    "a socket": ("unix:///var/run/docker.sock", False),
    "the default": ("", False),
}


@pytest.mark.parametrize(("where", "told"), OPEN.values(), ids=OPEN)
def test_orders_that_go_unencrypted_to_another_machine_are_known(
    where: str, *, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    assert is_open(BuilderSettings(where).reaching()) is told
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert not is_open(BuilderSettings(where).reaching())
