"""From the configuration to how registries are spoken to: names, secrets, and Docker's own logins."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bot.builder import BuilderSettings
from bot.convert import builder_logins, docker_config, registry_settings
from bot.errors import ConfigError
from bot.model.reference import Reference
from bot.registry import RegistrySettings
from bot.settings import load


def read(folder: Path, *lines: str) -> RegistrySettings:
    path = folder / "refit.yaml"
    path.write_text("\n".join(("registries:", *lines)))
    return registry_settings(load(path))


def test_each_registry_has_its_own_login_from_its_own_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHCR_PASSWORD", "from the environment")
    (tmp_path / "quay").write_text("from a file\n")

    hosts = read(
        tmp_path,
        "- {host: ghcr.io, username: ann, password: {env: GHCR_PASSWORD}, rate: 5}",
        "- {host: quay.io, token: {file: quay}, ca_file: ca.pem}",
    ).hosts

    assert (hosts["ghcr.io"].username, hosts["ghcr.io"].password) == ("ann", "from the environment")
    assert (hosts["ghcr.io"].rate, hosts["quay.io"].token) == (5.0, "from a file")
    assert hosts["quay.io"].ca_file == tmp_path / "ca.pem"
    assert "from" not in repr(hosts)


def test_a_secret_that_is_not_there_names_registry_key_and_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"registries: quay\.io: token: cannot read .*nowhere"):
        read(tmp_path, "- {host: quay.io, token: {file: nowhere}}")


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_is_configured_under_any_of_its_names(host: str, tmp_path: Path) -> None:
    settings = read(tmp_path, f"- {{host: {host}, concurrency: 3}}")

    assert settings.host(Reference.parse("debian:12").registry).concurrency == 3


def test_builds_get_the_logins_of_the_configuration_under_the_names_that_docker_asks_by(
    tmp_path: Path,
) -> None:
    (tmp_path / "word").write_text("secret")
    path = tmp_path / "refit.yaml"
    lines = (
        "registries:",
        "- {host: docker.io, username: ann, password: {file: word}}",
        "- {host: quay.io, aliases: [old.example], token: {file: word}}",
        "- {host: ghcr.io}",
    )
    path.write_text("\n".join(lines))

    logins = builder_logins(load(path))

    token = {"registrytoken": "secret"}
    hub = {"auth": base64.b64encode(b"ann:secret").decode()}
    assert logins == {"https://index.docker.io/v1/": hub, "quay.io": token, "old.example": token}
    assert "secret" not in repr(BuilderSettings(logins=logins))


def test_an_alias_leads_to_its_registry(tmp_path: Path) -> None:
    settings = read(tmp_path, "- {host: registry.example, aliases: ['old.example:5000']}")

    found = settings.canonical(Reference.parse("old.example:5000/app:1"))
    assert (found.registry, found.repository, str(found)) == (
        "registry.example",
        "app",
        "old.example:5000/app:1",
    )
    assert settings.canonical(Reference.parse("debian:12")) == Reference.parse("debian:12")


def test_two_registries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"two registries have the name 'a\.example', as host or alias"):
        read(tmp_path, "- {host: a.example}", "- {host: b.example, aliases: [a.example]}")


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({}, "home/.docker/config.json"),
        ({"DOCKER_CONFIG": "docker"}, "docker/config.json"),
        ({"REGISTRY_AUTH_FILE": "auth.json"}, "auth.json"),
    ],
    ids=["at home", "where Docker is told", "where Podman is told"],
)
def test_dockers_logins_are_read_where_docker_and_podman_are_told_to_keep_them(
    variables: dict[str, str], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value))

    assert docker_config() == tmp_path / path
