"""Logging in to one host: what it wants, who we are there, and the token that stands for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from bot.errors import RegistryLoginFailed
from bot.ports import Clock
from bot.registry.auth import Asker, TokenKey, choose
from bot.registry.credentials import Credential, credential_for
from bot.registry.faults import Interrupted
from bot.registry.headers import challenges, retry_after
from bot.registry.hosts import Host, Hosts
from bot.registry.loops import Loops
from bot.registry.pace import Patience
from bot.registry.tokens import Tokens
from bot.registry.wire import Answer, Outgoing


@dataclass(frozen=True, slots=True)
class Login:
    """The Authorization header of one question, or None; `key` where a fetched token is in it.

    `shared` where that token is good for other repositories as well: its refusal says little yet.
    """

    header: str | None = field(default=None, repr=False)
    credential: Credential | None = None
    key: TokenKey | None = None
    shared: bool = False


class Logins:
    """Logs in to hosts. What it learns outlives event loops."""

    def __init__(self, docker_config: Path | None, clock: Clock, hosts: Hosts, loops: Loops) -> None:
        self._docker_config, self._clock = docker_config, clock
        self._hosts, self._loops = hosts, loops
        self._tokens = Tokens(clock)

    async def login(self, host: Host, repository: str) -> Login:
        """What to send with a question about a repository.

        Raises:
            RegistryLoginFailed: A credential helper or token server refuses.
            RegistryError: The token server cannot be asked, or its answer is wrong.
        """
        credential = await self._credential(host)
        if credential.bearer:
            return Login(f"Bearer {credential.bearer}", credential=credential)
        if host.challenge is None:
            return Login(credential=credential)
        if host.challenge.scheme == "basic":
            return Login(credential.basic, credential=credential)
        parameters = host.challenge.parameters
        scope = host.scope.replace("{repository}", repository)
        key = TokenKey(parameters.get("realm", ""), parameters.get("service", ""), scope, credential)
        token = await self._tokens.get(key, _asker(host, credential), self._ask_token_server)
        return Login(f"Bearer {token.value}", credential, key, token.shared)

    def learn(self, host: Host, login: Login, answer: Answer) -> None:
        """Learn from an answer what login the host wants, and whether ours was good.

        Raises:
            RegistryLoginFailed: It wants a login that we cannot give.
        """
        if answer.status != 401:
            if login.key is not None:
                self._tokens.accepted(login.key)
            return
        if login.key is not None and login.header is not None:
            self._tokens.refused(login.key, login.header.partition(" ")[2])
        elif login.header is not None and host.credential is login.credential:
            host.credential = None  # it may have run out: a helper gives another one
        host.challenge = choose(challenges(answer.headers.get_list("WWW-Authenticate")), host.endpoint.name)
        host.scope = _scope(host.challenge.parameters.get("scope", ""))
        known = login.credential
        if host.challenge.scheme == "basic" and (known is None or known.basic is None):
            raise RegistryLoginFailed(
                f"{host.endpoint.name} wants a user and a password, and there are none for it"
            )

    def undecided(self, login: Login) -> None:
        """No answer came to a question with this login."""
        if login.shared and login.key is not None:
            self._tokens.undecided(login.key)

    async def _credential(self, host: Host) -> Credential:
        """The login for a host, looked up once: a helper is a program, and may take seconds."""
        if (found := host.credential) is not None:
            return found
        async with self._loops.here().lookup(host):
            if host.credential is None:
                host.credential = await asyncio.to_thread(
                    credential_for, host.endpoint.name, host.endpoint.settings, self._docker_config
                )
                host.anonymous = host.credential.is_anonymous
            return host.credential

    async def _ask_token_server(self, request: Outgoing) -> Answer:
        """Ask a token server as politely as a registry, once more where the connection broke."""
        here, pace, patience = self._loops.here(), self._hosts.token_pace(request.host), Patience()
        broken = False
        while True:
            self._hosts.count("TOKEN")
            try:
                async with here.gate(pace).pass_through() as pauses:
                    answer = await here.wire.send(request)
            except Interrupted:
                if broken:
                    raise
                broken = True
                continue
            if answer.status != 429:
                pace.answered(pauses)
                return answer
            wait = retry_after(answer.headers.get("Retry-After"), answer.body, self._clock.now())
            patience.told(pace, answer.status, wait, self._clock.monotonic())


def refused_login(host: Host) -> RegistryLoginFailed:
    """The error of a host that refuses, a second time, who we say we are."""
    who = "a request without a login" if host.anonymous else "our login"
    return RegistryLoginFailed(
        f"{host.endpoint.name} refuses {who} for this image: it is private, or does not exist"
    )


def _asker(host: Host, credential: Credential) -> Asker:
    url = httpx.URL(f"{host.scheme}://{host.endpoint.host}")
    return Asker(host.endpoint.name, url, host.zone, host.tls, host.endpoint.settings.timeout, credential)


def _scope(asked: str) -> str:
    """The scope of every repository's token, from the one that was asked for the first.

    Only `pull` is ever asked; a scope that names no repository (Amazon's public registry) is kept as it is.
    """
    return "repository:{repository}:pull" if not asked or asked.startswith("repository") else asked
