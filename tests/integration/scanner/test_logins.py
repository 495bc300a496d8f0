"""The real Trivy, as the configuration wants it, and a registry that asks who is there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bot.app import scanner
from bot.clock import SystemClock
from bot.errors import ScanError
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Scan
from bot.ports import ScanRequest
from bot.settings import load
from tests.integration.registry.distribution import PASSWORD, USER, distribution, htpasswd
from tests.integration.scanner.bench import Bench

pytestmark = pytest.mark.lab

LOGIN: Final = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def private(shared: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image by its digest, in a registry that asks for a user and a password."""
    folder = tmp_path_factory.mktemp("private")
    with distribution(folder) as address:
        tag = f"{address}/acme/base:1"
        shared.docker("tag", shared.image("FROM nginx:1.27-alpine", name="private"), tag)
        digest = shared.docker("push", tag).rpartition("digest: ")[2].split()[0]
        shared.docker("rmi", tag)
    with distribution(folder, auth=htpasswd(folder)) as address:
        yield f"{address}/acme/base@{digest}"


def scanned(bench: Bench, folder: Path, image: str, **login: object) -> Scan:
    """Scan with a configuration that says this of the image's registry."""
    name, _, digest = image.partition("@")
    configuration = folder / "refit.yaml"
    settings = {
        "state": str(folder / "state"),
        "registries": [{"host": name.partition("/")[0], **login}],
        "scanner": {"offline": True, "database_folder": str(bench.lab.trivy_cache)},
    }
    configuration.write_text(json.dumps(settings))
    request = ScanRequest(image, remote=True, digest=digest, platform=LINUX_AMD64)
    return scanner(load(configuration), SystemClock()).scan(request)


def test_a_private_image_is_scanned_with_the_login_of_the_configuration(
    shared: Bench, private: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(PASSWORD)

    scan = scanned(shared, tmp_path, private, username=USER, password={"file": "password"})

    assert scan.packages
    left = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert left
    assert not [path for path in left if LOGIN.encode() in path.read_bytes()]


def test_a_private_image_is_scanned_with_the_login_that_docker_keeps(
    shared: Bench, private: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    login = {private.partition("/")[0]: {"auth": LOGIN}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": login}))

    assert scanned(shared, tmp_path, private).packages


def test_a_private_image_without_a_login_says_what_is_missing(
    shared: Bench, private: str, tmp_path: Path
) -> None:
    with pytest.raises(ScanError, match="the registry asks for a login") as raised:
        scanned(shared, tmp_path, private)

    assert "registries:" in raised.value.hint
