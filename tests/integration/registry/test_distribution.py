"""The client and the real registry of the distribution project, in each mode of login."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.errors import RegistryLoginFailed, RegistryUnreachable
from bot.model.manifest import Index
from bot.model.reference import Reference
from bot.registry import HostSettings, RegistryClient, RegistrySettings
from tests.integration.registry.authority import Authority, TokenServer
from tests.integration.registry.distribution import PASSWORD, USER, distribution, htpasswd, push
from tests.integration.registry.images import image

IMAGE = image()
NAMES = tuple(f"app{number}" for number in range(12))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blobs that every mode serves."""
    path = tmp_path_factory.mktemp("registry")
    with distribution(path) as address:
        for name in NAMES:
            push(address, name, "1", IMAGE)
    return path


def client(
    hosts: Mapping[str, HostSettings] | None = None, docker_config: Path | None = None
) -> RegistryClient:
    return RegistryClient(RegistrySettings(hosts or {}, docker_config), cache=None, clock=SystemClock())


def all_of(registry: RegistryClient, address: str) -> set[str]:
    """The digests of every image, asked for at the same time."""

    async def work() -> set[str]:
        names = [Reference.parse(f"{address}/{name}:1") for name in NAMES]
        return {str(head.digest) for head in await asyncio.gather(*map(registry.head, names))}

    return asyncio.run(work())


def error_of(registry: RegistryClient, address: str) -> Exception:
    with pytest.raises((RegistryLoginFailed, RegistryUnreachable)) as caught:
        asyncio.run(registry.head(Reference.parse(f"{address}/app0:1")))
    return caught.value


def docker_config(folder: Path, address: str, password: str) -> Path:
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path = folder / "config.json"
    path.write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    return path


def test_without_a_login_twelve_images_are_twelve_heads_in_two_event_loops(folder: Path) -> None:
    with distribution(folder) as address:
        registry = client()
        assert all_of(registry, address) == {IMAGE.index.digest}
        assert all_of(registry, address) == {IMAGE.index.digest}
        assert registry.requests() == {"HEAD": 12}


def test_index_manifest_config_and_tags_come_as_they_were_pushed(folder: Path) -> None:
    with distribution(folder) as address:
        registry, wanted = client(), Reference.parse(f"{address}/app0:1")
        index = asyncio.run(registry.content(wanted))
        assert isinstance(index, Index)
        manifest = asyncio.run(registry.content(wanted.with_digest(index.images[0].digest)))
        assert not isinstance(manifest, Index)
        config = asyncio.run(registry.config(wanted, manifest))
        assert dict(config.labels) == {"version": "1"}
        assert asyncio.run(registry.tags(wanted)) == ("1",)


def test_a_password_of_the_settings_opens_a_registry_with_htpasswd(folder: Path) -> None:
    with distribution(folder, auth=htpasswd(folder)) as address:
        registry = client({address: HostSettings(username=USER, password=PASSWORD)})
        assert all_of(registry, address) == {IMAGE.index.digest}
        assert registry.requests() == {"HEAD": 13}, "one question learns that a login is wanted"


def test_dockers_own_login_opens_a_registry_with_htpasswd(folder: Path, tmp_path: Path) -> None:
    with distribution(folder, auth=htpasswd(folder)) as address:
        config = docker_config(tmp_path, address, PASSWORD)
        assert all_of(client(docker_config=config), address) == {IMAGE.index.digest}


def test_a_wrong_password_is_an_error_that_does_not_show_it(folder: Path, tmp_path: Path) -> None:
    with distribution(folder, auth=htpasswd(folder)) as address:
        registry = client(docker_config=docker_config(tmp_path, address, "not-it"))
        error = error_of(registry, address)
        assert str(error) == f"{address} refuses our login for this image: it is private, or does not exist"
        assert "not-it" not in repr(error) + repr(registry.__dict__)


def test_no_password_for_a_registry_that_wants_one_says_so(folder: Path) -> None:
    with distribution(folder, auth=htpasswd(folder)) as address:
        assert "wants a user and a password, and there are none for it" in str(error_of(client(), address))


def test_tokens_are_asked_for_several_repositories_at_once(folder: Path, tmp_path: Path) -> None:
    with TokenServer(Authority(tmp_path)) as tokens, distribution(folder, auth=tokens.auth) as address:
        registry = client()
        assert all_of(registry, address) == {IMAGE.index.digest}
        assert {scope for asked in tokens.asked for scope in asked} == {
            f"repository:{name}:pull" for name in NAMES
        }
        assert registry.requests()["HEAD"] == 13
        assert registry.requests()["TOKEN"] == len(tokens.asked) < len(NAMES)


def test_a_token_server_gets_the_login_and_may_refuse_it(folder: Path, tmp_path: Path) -> None:
    tokens = TokenServer(Authority(tmp_path), login=(USER, PASSWORD))
    with tokens, distribution(folder, auth=tokens.auth) as address:
        known = client({address: HostSettings(username=USER, password=PASSWORD)})
        assert all_of(known, address) == {IMAGE.index.digest}
        assert "refuses a request without a login (HTTP 401)" in str(error_of(client(), address))
        wrong = client({address: HostSettings(username=USER, password="not-it")})
        assert "refuses our login (HTTP 401)" in str(error_of(wrong, address))


def test_a_private_authority_is_trusted_for_the_host_that_names_it(folder: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = {"tls": {"certificate": str(authority.ca_file), "key": str(authority.key_file)}}
    with distribution(folder, http=tls) as address:
        known = client({address: HostSettings(ca_file=authority.ca_file)})
        assert all_of(known, address) == {IMAGE.index.digest}
        assert all_of(client({address: HostSettings(insecure=True)}), address) == {IMAGE.index.digest}
        assert "certificate" in str(error_of(client(), address)), "loopback is no reason to trust anybody"
