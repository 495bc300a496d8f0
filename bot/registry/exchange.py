"""One question to one host, until it is answered: scheme, login, pace, retries and redirects."""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import dataclass, replace
from typing import Final

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryLoginFailed, RegistryRateLimited
from bot.ports import Clock
from bot.registry.auth import Asker, TokenKey, Tokens, choose
from bot.registry.credentials import credential_for
from bot.registry.endpoints import Endpoint, bare_host
from bot.registry.guard import REGISTRY_ZONES, foreign_zones
from bot.registry.headers import challenges, quota, retry_after
from bot.registry.hosts import DOWN_SECONDS, Host, Hosts, Loops, Sleep
from bot.registry.pace import LEAST_WAIT, MOST_WAIT
from bot.registry.settings import RegistrySettings
from bot.registry.wire import Answer, Interrupted, NoConnection, Outgoing

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MOST_REDIRECTS: Final = 5
_TRY_AGAIN: Final = (500, 502, 503, 504)
_MOST_REFUSALS: Final = 4
_COOL_OFF: Final = 300.0
_AGAIN_SECONDS: Final = 0.5
_PROBE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a host.

    Attributes:
        method: HEAD or GET.
        target: Path and query.
        repository: The repository as the host knows it, for the token's scope.
        limit: Most bytes of the answer.
        accept: Media types that we read.
    """

    method: str
    target: str
    repository: str
    limit: int
    accept: str = "application/json"


@dataclass(slots=True)
class _Tries:
    """What one question has cost so far."""

    logins: int = 0
    failures: int = 0
    refusals: int = 0
    waited: float = 0.0


class Exchange:
    """Asks hosts. What it learns outlives event loops; safe from several threads."""

    def __init__(self, settings: RegistrySettings, clock: Clock, sleep: Sleep) -> None:
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self.hosts = Hosts()
        self.loops = Loops(clock, sleep)
        self._tokens = Tokens(clock, self.hosts.count)

    async def ask(self, endpoint: Endpoint, question: Question) -> Answer:
        """Ask until there is an answer; its status may be any but 401, 429 and a redirect.

        Raises:
            RegistryError: There is none; the kind of error says why.
        """
        host, tries = self.hosts.get(endpoint), _Tries()
        while True:
            answer = await self._attempt(host, question, tries)
            if answer is not None and not await self._again(host, answer, tries):
                self._learn(host, answer)
                return answer

    async def _again(self, host: Host, answer: Answer, tries: _Tries) -> bool:
        """Whether the question has to be asked again, after what has to happen first."""
        if answer.status == 401:
            _count_login(host, tries)
            return True
        wait = retry_after(answer.headers.get("Retry-After"), answer.body, self._clock.now())
        if answer.status == 429 or (answer.status == 503 and wait is not None):
            self._slow_down(host, answer.status, wait, tries)
            return True
        if answer.status in _TRY_AGAIN and tries.failures == 0:
            tries.failures += 1
            await self._sleep(_AGAIN_SECONDS * (1 + random.random()))  # noqa: S311 - no secret
            return True
        return False

    def _learn(self, host: Host, answer: Answer) -> None:
        if answer.status < 500:
            host.pace.answered()
        headers = answer.headers
        left = quota(
            headers.get("RateLimit-Limit") or headers.get("X-RateLimit-Limit"),
            headers.get("RateLimit-Remaining") or headers.get("X-RateLimit-Remaining"),
        )
        host.quota = left or host.quota

    def _slow_down(self, host: Host, status: int, wait: float | None, tries: _Tries) -> None:
        """Note a pause for everybody; raises where it is longer than a run may wait."""
        tries.refusals += 1
        seconds = max(LEAST_WAIT, wait if wait is not None else float(2 ** (tries.refusals - 1)))
        tries.waited += seconds
        hopeless = tries.waited > MOST_WAIT or tries.refusals > _MOST_REFUSALS
        pause = max(seconds, _COOL_OFF) if hopeless else seconds
        host.pace.slow(self._clock.monotonic() + pause)
        if hopeless:
            asked = f"asks for a pause of {wait:.0f} s" if wait is not None else "does not say for how long"
            raise RegistryRateLimited(f"{host.endpoint.name} limits our requests (HTTP {status}) and {asked}")

    async def _attempt(self, host: Host, question: Question, tries: _Tries) -> Answer | None:
        """Send once, remembering hosts that cannot be connected to; None asks for another attempt."""
        self._check_up(host)
        try:
            return await self._first_alone(host, question)
        except Interrupted:
            if tries.failures:
                raise
        except NoConnection as error:
            if tries.failures or host.endpoint.mirror:
                host.down = (error.message, self._clock.monotonic() + DOWN_SECONDS)
                raise
        tries.failures += 1
        await self._sleep(_AGAIN_SECONDS)
        return None

    def _check_up(self, host: Host) -> None:
        if host.down is not None and self._clock.monotonic() < host.down[1]:
            raise NoConnection(host.down[0])

    async def _first_alone(self, host: Host, question: Question) -> Answer:
        """Let the first question to a host go alone: it learns for all whether a login is wanted."""
        if not host.met:
            async with self.loops.here().first(host):
                if not host.met:
                    self._check_up(host)
                    return await self._meet(host, question)
        return await self._through_gate(host, question)

    async def _meet(self, host: Host, question: Question) -> Answer:
        if host.credential is None:
            host.credential = await asyncio.to_thread(
                credential_for, host.endpoint.name, host.endpoint.settings, self._settings.docker_config
            )
        if host.scheme is None:
            host.scheme = await _tried_scheme(host.endpoint.host)
        answer = await self._through_gate(host, question)
        host.zone = answer.zone
        host.met = True
        return answer

    async def _through_gate(self, host: Host, question: Question) -> Answer:
        authorization = await self._authorization(host, question)
        headers = {"Accept": question.accept} | ({"Authorization": authorization} if authorization else {})
        url = httpx.URL(f"{host.scheme}://{host.endpoint.host}{question.target}")
        request = Outgoing(question.method, url, headers, question.limit, host.endpoint.settings.timeout,
                           REGISTRY_ZONES, host.tls)  # fmt: skip
        answer = await self._send(host, request)
        if answer.status == 401 and authorization and host.challenge is not None:
            self._tokens.forget(self._key(host, question), authorization.partition(" ")[2])
        if answer.status == 401:
            _learn_login(host, answer, question)
        return answer

    async def _send(self, host: Host, request: Outgoing) -> Answer:
        """Send through the host's door, and follow its redirects with no more than it may have."""
        here = self.loops.here()
        async with here.gate(host).pass_through():
            for _ in range(_MOST_REDIRECTS):
                self.hosts.count(request.method)
                answer = await here.wire.send(request)
                if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                    return replace(answer, url=request.url)
                request = _redirected(host, request, answer)
        raise RegistryAnswerInvalid(f"{host.endpoint.name} redirects more than {_MOST_REDIRECTS} times")

    async def _authorization(self, host: Host, question: Question) -> str | None:
        credential = host.credential
        if credential is not None and credential.bearer:
            return f"Bearer {credential.bearer}"
        if host.challenge is None or credential is None:
            return None
        if host.challenge.scheme == "basic":
            return credential.basic
        send = self.loops.here().wire.send
        return f"Bearer {await self._tokens.get(self._key(host, question), _asker(host), send)}"

    def _key(self, host: Host, question: Question) -> TokenKey:
        assert host.challenge is not None  # noqa: S101 - asked only after a challenge
        assert host.credential is not None  # noqa: S101 - looked up at the first meeting
        parameters = host.challenge.parameters
        scope = host.scope.replace("{repository}", question.repository)
        return TokenKey(parameters.get("realm", ""), parameters.get("service", ""), scope, host.credential)


def _learn_login(host: Host, answer: Answer, question: Question) -> None:
    """Read how a host wants a login; raises where we have none of that kind."""
    name = host.endpoint.name
    host.challenge = choose(challenges(answer.headers.get_list("WWW-Authenticate")), name)
    host.scope = _scope(host.challenge.parameters.get("scope", ""), question.repository)
    if host.challenge.scheme == "basic" and (host.credential is None or host.credential.basic is None):
        raise RegistryLoginFailed(f"{name} wants a user and a password, and there are none for it")


def _count_login(host: Host, tries: _Tries) -> None:
    """Allow one more attempt after a 401; raises where the login we gave was refused."""
    tries.logins += 1
    if tries.logins > 1:
        who = "a request without a login" if _anonymous(host) else "our login"
        raise RegistryLoginFailed(
            f"{host.endpoint.name} refuses {who} for this image: it is private, or does not exist"
        )


def _anonymous(host: Host) -> bool:
    return host.credential is None or host.credential.is_anonymous


def _asker(host: Host) -> Asker:
    assert host.credential is not None  # noqa: S101 - looked up at the first meeting
    url = httpx.URL(f"{host.scheme}://{host.endpoint.host}")
    settings = host.endpoint.settings
    return Asker(host.endpoint.name, url, host.zone, host.tls, settings.timeout, host.credential)


def _scope(asked: str, repository: str) -> str:
    """The scope of every repository's token, from the one that was asked for the first.

    Only `pull` is ever asked; a scope that names no repository (Amazon's public registry) is kept as it is.
    """
    if not asked or asked.startswith("repository:"):
        return "repository:{repository}:pull"
    return asked.replace(repository, "{repository}")


def _redirected(host: Host, request: Outgoing, answer: Answer) -> Outgoing:
    """The request for where a redirect leads; without the credential where that is another host.

    Raises:
        RegistryAnswerInvalid: It leads nowhere, or from https to http.
    """
    name, location = host.endpoint.name, answer.headers["Location"]
    try:
        url = request.url.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise RegistryAnswerInvalid(f"{name} redirects to {location[:100]!r}: no address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise RegistryAnswerInvalid(f"{name} redirects to {location[:100]!r}: no address")
    if url.scheme == "http" and request.url.scheme == "https":
        raise RegistryAnswerInvalid(f"{name} redirects from https to plain http at {url.host}; not followed")
    if (url.scheme, url.netloc) == (request.url.scheme, request.url.netloc):
        return replace(request, url=url)
    headers = {key: value for key, value in request.headers.items() if key != "Authorization"}
    tls = request.tls if url.host == request.url.host else type(request.tls)()
    return replace(request, url=url, headers=headers, zones=foreign_zones(answer.zone), tls=tls)


async def _tried_scheme(host: str) -> str:
    """Find out whether a host that may speak plain HTTP speaks TLS: one handshake, nothing is sent."""
    bare, _, port = host.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection(
                bare_host(host), int(port) if bare and port.isdigit() else 443, ssl=context
            )
    except (OSError, TimeoutError):
        return "http"
    writer.transport.abort()
    return "https"
