"""Who is asked for an image, in which order and by which scheme."""

from __future__ import annotations

import pytest

from bot.errors import ConfigError
from bot.model.reference import Reference
from bot.registry import HostSettings, RegistrySettings
from bot.registry.endpoints import endpoints


def asked(name: str, **hosts: HostSettings) -> list[str]:
    settings = RegistrySettings({host.replace("_", "."): value for host, value in hosts.items()})
    reference = Reference.parse(name)
    found = endpoints(reference, settings)
    return [f"{one.scheme or '?'}://{one.host}/{one.repository(reference)}" for one in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("debian", "https://registry-1.docker.io/library/debian", id="Docker Hub's API host"),
        pytest.param("ghcr.io/a/b", "https://ghcr.io/a/b", id="any other registry"),
        pytest.param("reg.example:5000/a", "https://reg.example:5000/a", id="a port"),
        pytest.param("localhost:5000/a", "?://localhost:5000/a", id="loopback: tried"),
        pytest.param("127.0.0.1:5000/a", "?://127.0.0.1:5000/a", id="a loopback address: tried"),
        pytest.param("10.0.0.1:5000/a", "https://10.0.0.1:5000/a", id="a private address: https"),
    ],
)
def test_a_registry_is_asked_at_its_own_address(name: str, expected: str) -> None:
    assert asked(name) == [expected]


def test_mirrors_come_first_and_a_proxy_project_is_a_prefix() -> None:
    mirrors = HostSettings(mirrors=("harbor.example/hub/", "http://127.0.0.1:5000", "https://other.example"))
    assert asked("debian", docker_io=mirrors) == [
        "https://harbor.example/hub/library/debian",
        "http://127.0.0.1:5000/library/debian",
        "https://other.example/library/debian",
        "https://registry-1.docker.io/library/debian",
    ]


def test_a_host_marked_insecure_is_tried_with_tls_first() -> None:
    assert asked("reg.example/a", reg_example=HostSettings(insecure=True)) == ["?://reg.example/a"]


@pytest.mark.parametrize(
    ("mirror", "sentence"),
    [
        ("ftp://m.example", r"'ftp://m\.example' is not host"),
        ("https://", r"is not host"),
        ("user:secret@m.example", r"is not host"),
        ("http://m.example", r"plain HTTP"),
    ],
)
def test_a_mirror_that_cannot_be_meant_is_a_fault_of_the_configuration(mirror: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        asked("debian", docker_io=HostSettings(mirrors=(mirror,)))
