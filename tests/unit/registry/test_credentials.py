"""Where a login comes from, and that it is shown nowhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RegistryLoginFailed
from bot.registry import HostSettings
from bot.registry.credentials import ANONYMOUS, Credential, credential_for

SECRET = "s3cret"
HUB = "https://index.docker.io/v1/"


def auth(user: str = "me", password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def config(folder: Path, **document: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("name", "auths", "expected"),
    [
        pytest.param("ghcr.io", {"ghcr.io": auth()}, Credential("me", SECRET), id="by its host"),
        pytest.param("ghcr.io", {"https://ghcr.io": auth()}, Credential("me", SECRET), id="by its address"),
        pytest.param(
            "docker.io", {HUB: auth()}, Credential("me", SECRET), id="Docker Hub by its old address"
        ),
        pytest.param("ghcr.io", {HUB: auth()}, ANONYMOUS, id="another host's login is not ours"),
        pytest.param("ghcr.io:444", {"ghcr.io": auth()}, ANONYMOUS, id="another port is another host"),
        pytest.param("ghcr.io", {"ghcr.io": {}}, ANONYMOUS, id="an empty entry"),
        pytest.param("ghcr.io", {"ghcr.io": auth("me", "a:b")}, Credential("me", "a:b"), id="a colon in it"),
        pytest.param(
            "ghcr.io",
            {"ghcr.io": {"username": "me", "password": SECRET}},
            Credential("me", SECRET),
            id="in words",
        ),
        pytest.param(
            "acr.example",
            {"acr.example": {"identitytoken": SECRET}},
            Credential(identity=SECRET),
            id="identity token",
        ),
        pytest.param(
            "a.example",
            {"a.example": {"registrytoken": SECRET}},
            Credential(bearer=SECRET),
            id="registry token",
        ),
    ],
)
def test_dockers_file_is_searched_as_docker_searches_it(
    name: str, auths: dict[str, Any], expected: Credential, tmp_path: Path
) -> None:
    assert credential_for(name, HostSettings(), config(tmp_path, auths=auths)) == expected


def test_the_settings_own_login_comes_before_dockers(tmp_path: Path) -> None:
    path = config(tmp_path, auths={"ghcr.io": auth()})
    own = HostSettings(username="you", password="other")
    assert credential_for("ghcr.io", own, path) == Credential("you", "other")
    assert credential_for("ghcr.io", HostSettings(token="t"), path) == Credential(bearer="t")


def test_a_login_under_an_alias_is_the_registrys(tmp_path: Path) -> None:
    path = config(tmp_path, auths={"old.example:5000": auth()})
    settings = HostSettings(aliases=("other.example", "old.example:5000"))

    assert credential_for("registry.example", settings, path) == Credential("me", SECRET)
    assert credential_for("registry.example", HostSettings(), path).is_anonymous


def test_without_a_file_or_with_a_missing_one_we_are_nobody(tmp_path: Path) -> None:
    assert credential_for("ghcr.io", HostSettings(), None).is_anonymous
    assert credential_for("ghcr.io", HostSettings(), tmp_path / "none.json").is_anonymous


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("{", "cannot be read as Docker's configuration", id="no JSON"),
        pytest.param(
            '{"auths": {"ghcr.io": {"auth": "%%%"}}}', "is not base64 of user:password", id="no base64"
        ),
        pytest.param(
            '{"auths": {"ghcr.io": {"auth": "bWU="}}}', "is not base64 of user:password", id="no password"
        ),
        pytest.param(
            '{"credHelpers": {"ghcr.io": "../evil"}}', "names a credential helper", id="a path as helper"
        ),
        pytest.param(
            '{"credHelpers": {"ghcr.io": "not-there"}}', "no login for ghcr.io", id="a missing helper"
        ),
    ],
)
def test_a_broken_login_is_an_error_and_never_nobody(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(RegistryLoginFailed, match=sentence):
        credential_for("ghcr.io", HostSettings(), path)


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return config(folder, credHelpers={"ecr.example": "test"})


# As the clouds' own helpers answer: docker-credential-ecr-login, docker-credential-gcr, and Azure's acr-env.
CLOUDS = {
    "Amazon": ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "AWS", "AWS_PROFILE"),
    "Google": ("europe-docker.pkg.dev", "_dcgcr_2_0_0_token", "GOOGLE_APPLICATION_CREDENTIALS"),
    "Azure": ("acme.azurecr.io", "<token>", "AZURE_FEDERATED_TOKEN_FILE"),
}


@pytest.mark.parametrize(("host", "user", "variable"), CLOUDS.values(), ids=CLOUDS)
def test_a_clouds_helper_is_asked_for_its_host_with_the_clouds_own_variables(
    host: str, user: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "work")
    monkeypatch.setenv("https_proxy", "proxy")
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    said = f"$host/${variable}/$https_proxy/$GITHUB_TOKEN"
    path = helper(
        tmp_path, monkeypatch, f"""read host; printf '{{"Username":"{user}","Secret":"%s"}}' "{said}" """
    )
    path = config(tmp_path, credHelpers={host: "test"})
    secret = f"{host}/work/proxy/"

    expected = Credential(identity=secret) if user == "<token>" else Credential(user, secret)
    assert credential_for(host, HostSettings(), path) == expected
    assert credential_for("other.example", HostSettings(), path).is_anonymous


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param(f"echo {SECRET} expired >&2; exit 1", "gives no login for ecr.example", id="it fails"),
        pytest.param(f"echo {SECRET}", "but not with a login", id="it says something else"),
    ],
)
def test_a_helper_that_fails_is_an_error_that_repeats_nothing_it_said(
    script: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = helper(tmp_path, monkeypatch, script)
    with pytest.raises(RegistryLoginFailed, match=sentence) as caught:
        credential_for("ecr.example", HostSettings(), path)
    assert SECRET not in str(caught.value) + caught.value.hint


def test_a_helper_that_knows_no_login_makes_us_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    assert credential_for("ecr.example", HostSettings(), path).is_anonymous


def test_no_repr_shows_a_secret() -> None:
    shown = repr(Credential(SECRET, SECRET, SECRET, SECRET)) + repr(
        HostSettings(password=SECRET, token=SECRET)
    )
    assert SECRET not in shown


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET}\0", f"{SECRET}\N{EURO SIGN}"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    places = (
        (HostSettings(token=token), None),
        (HostSettings(), config(tmp_path, auths={"ghcr.io": {"registrytoken": token}})),
    )
    for settings, file in places:
        with pytest.raises(RegistryLoginFailed, match=r"token for ghcr\.io") as caught:
            credential_for("ghcr.io", settings, file)
        assert SECRET not in str(caught.value)
