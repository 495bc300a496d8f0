"""Builds on a private base: with a login of Refit's configuration, and with what docker itself keeps."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from bot.errors import BuildFailed
from tests.integration.builder.bench import ENGINES, Bench
from tests.integration.registry.distribution import PASSWORD, USER, distribution, htpasswd, push
from tests.integration.registry.images import image

pytestmark = pytest.mark.lab

LOGIN: Final = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
on_each_engine = pytest.mark.parametrize("bench", ENGINES, indirect=True)


@pytest.fixture
def private(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench whose base is in a registry that asks for a user and a password."""
    folder = tmp_path_factory.mktemp("private")
    with distribution(folder) as address:
        push(address, "acme/base", "1", image())
    with distribution(folder, auth=htpasswd(folder)) as address:
        yield replace(bench, base=f"{address}/acme/base:1")


def logins(private: Bench) -> Mapping[str, Mapping[str, str]]:
    return {private.base.partition("/")[0]: LOGIN}


@on_each_engine
def test_a_private_base_is_pulled_with_the_login_of_the_configuration(private: Bench) -> None:
    settings = replace(private.settings, logins=logins(private))

    assert private.build("COPY Dockerfile /x", settings=settings).layers


@on_each_engine
def test_a_login_of_the_configuration_comes_before_the_store_that_docker_asks(
    private: Bench, tmp_path: Path
) -> None:
    (own := tmp_path / "own").mkdir()
    (own / "config.json").write_text(json.dumps({"credsStore": "of-a-desktop"}))
    if plugins := private.settings.docker_config:
        (own / "cli-plugins").symlink_to(plugins / "cli-plugins")
    settings = replace(private.settings, docker_config=own, logins=logins(private))

    assert private.build("COPY Dockerfile /x", settings=settings).layers


@on_each_engine
def test_a_private_base_without_a_login_says_what_is_missing(private: Bench) -> None:
    with pytest.raises(BuildFailed) as raised:
        private.build("COPY Dockerfile /x")

    assert "needs a login" in raised.value.hint
