"""How each registry asks for a login and gives its tokens: the shapes differ, three requests do for all."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.registry.asking import Ticks, client, reference
from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest
from tests.integration.registry.images import image

IMAGE = image()
HEAD = "HEAD /v2/team/app/manifests/1"
SCOPE = "repository:team/app:pull"
ISSUED = "2026-11-24T08:16:40.123456789Z"

# Challenge (`{at}` is the registry), answer of the token server, and the scope that is asked for.
DIALECTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Docker Hub": (
        f'Bearer realm="{{at}}/token",service="registry.docker.io",scope="{SCOPE}"',
        {"token": "T", "access_token": "T", "expires_in": 300, "issued_at": ISSUED},
        SCOPE,
    ),
    "GHCR": (f'Bearer realm="{{at}}/token",service="ghcr.io",scope="{SCOPE}"', {"token": "T"}, SCOPE),
    "Quay": (f'Bearer realm="{{at}}/v2/auth",service="quay.io",scope="{SCOPE}"', {"token": "T"}, SCOPE),
    "GitLab": (
        f'Bearer realm="{{at}}/jwt/auth",service="container_registry",scope="{SCOPE}",error="invalid_token"',
        {"token": "T", "expires_in": 300},
        SCOPE,
    ),
    "Harbor": (
        f'Bearer realm="{{at}}/service/token",service="harbor-registry",scope="{SCOPE}"',
        {"token": "T", "access_token": "", "expires_in": 1800, "issued_at": ISSUED},
        SCOPE,
    ),
    "Artifactory": ('Bearer realm="{at}/v2/token",service="it"', {"token": "T", "expires_in": 3600}, SCOPE),
    "Nexus": ('Bearer realm="{at}/v2/token",service="{at}/v2/token"', {"token": "T"}, SCOPE),
    "Google": (
        f'Bearer realm="{{at}}/v2/token",service="europe-docker.pkg.dev",scope="{SCOPE}"',
        {"expires_in": 43200, "issued_at": ISSUED, "token": "T"},
        SCOPE,
    ),
    "Azure": (
        f'Bearer realm="{{at}}/oauth2/token",service="acme.azurecr.io",scope="{SCOPE}"',
        {"access_token": "T"},
        SCOPE,
    ),
    "Amazon's public one": (
        'Bearer realm="{at}/token/",service="public.ecr.aws",scope="aws"',
        {"token": "T"},
        "aws",
    ),
    "pushing asked for": (
        'Bearer realm="{at}/token",service="s",scope="repository:team/app:pull,push"',
        {"token": "T"},
        SCOPE,
    ),
}


@pytest.mark.parametrize(("challenge", "answer", "scope"), DIALECTS.values(), ids=DIALECTS)
def test_a_token_is_asked_for_as_each_registry_wants_it(
    challenge: str, answer: dict[str, Any], scope: str
) -> None:
    async def work() -> tuple[list[str], dict[str, list[str]], str]:
        async with FaultyRegistry() as server:
            at = f"http://{server.address}"

            def reply(asked: Asked) -> Reply:
                if not asked.target.startswith("/v2/team/"):
                    return Reply(body=json.dumps(answer).encode())
                if asked.headers.get("authorization") == "Bearer T":
                    return manifest(IMAGE.index)
                return Reply(401, {"WWW-Authenticate": challenge.replace("{at}", at)})

            server.script["*"] = reply
            head = await client(server.address).head(reference(server.address, "team/app:1"))
            lines = [line.partition("?")[0] for line in server.lines]
            return lines, parse_qs(urlsplit(server.asked[1].target).query), str(head.digest)

    lines, query, digest = asyncio.run(work())
    realm = challenge.partition('realm="{at}')[2].partition('"')[0]
    assert lines == [HEAD, f"GET {realm}", HEAD]
    assert query["scope"] == [scope]
    assert query["service"]
    assert digest == IMAGE.index.digest


def test_amazons_private_one_takes_the_password_of_its_helper_and_gives_no_digest() -> None:
    login = base64.b64encode(b"AWS:twelve-hours").decode()

    def reply(asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Basic {login}":
            challenge = 'Basic realm="https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr"'
            return Reply(401, {"WWW-Authenticate": challenge})
        return manifest(IMAGE.index, Docker_Content_Digest="")

    async def work() -> tuple[list[str], str]:
        async with FaultyRegistry({"*": reply}) as server:
            registry = client(server.address, clock=Ticks(), username="AWS", password="twelve-hours")
            head = await registry.head(reference(server.address, "team/app:1"))
            return server.lines, str(head.digest)

    assert asyncio.run(work()) == ([HEAD, HEAD, HEAD.replace("HEAD", "GET")], IMAGE.index.digest)
