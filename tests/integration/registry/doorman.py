"""A registry with a token server, both scripted: a token is the list of the scopes it is good for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.integration.registry.faulty import Asked, FaultyRegistry, Reply, manifest
from tests.integration.registry.images import image

IMAGE = image()


@dataclass
class Doorman:
    """Answers for both; `granted` keeps the scopes of each token that was given.

    Attributes:
        realm: Where the token server is said to be.
        most: The most scopes that one token may have; more are refused, or left out where `silent`.
        silent: Leave out what is too much, in place of refusing.
        known: Repositories that exist; None for all.
        life: `expires_in` of the tokens.
        revoked: Tokens that are no longer taken.
    """

    realm: str = ""
    most: int = 1000
    silent: bool = False
    known: frozenset[str] | None = None
    life: int = 300
    granted: list[list[str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)

    @property
    def script(self) -> dict[str, Callable[[Asked], Reply]]:
        return {"GET /token": self.token, "*": self.answer}

    async def told(self, server: FaultyRegistry) -> FaultyRegistry:
        """Install this script in a server whose own `/token` is the realm."""
        self.realm = f"http://{server.address}/token"
        server.script.update(self.script)
        return server

    def token(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.target).query)
        self.logins.append(asked.headers.get("authorization", ""))
        scopes = query.get("scope", [])
        if len(scopes) > self.most and not self.silent:
            return Reply(400)
        self.granted.append(scopes)
        value = f"{len(self.granted)}-" + "+".join(scopes[: self.most])
        return Reply(body=json.dumps({"token": value, "expires_in": self.life}).encode())

    def content(self, asked: Asked) -> Reply:
        """One image behind every tag of every repository; the lists name one tag."""
        if asked.target.partition("?")[0].endswith("/tags/list"):
            return Reply(body=b'{"tags": ["1"]}')
        if asked.target.endswith(IMAGE.manifest.digest):
            return manifest(IMAGE.manifest)
        return Reply(body=IMAGE.config.body) if "/blobs/" in asked.target else manifest(IMAGE.index)

    def answer(self, asked: Asked) -> Reply:
        repository = re.split("/(?:manifests|blobs|tags)/", asked.target.removeprefix("/v2/"))[0]
        scope = f"repository:{repository}:pull"
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        known = self.known is None or repository in self.known
        if known and token not in self.revoked and scope in token.partition("-")[2].split("+"):
            return self.content(asked)
        challenge = f'Bearer realm="{self.realm}",service="registry",scope="{scope}"'
        return Reply(401, {"WWW-Authenticate": challenge})
