"""One question to one host, until it is answered: scheme, login, pace, retries and redirects."""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import dataclass, field, replace
from typing import Final

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid, RegistryError, RegistryLoginFailed, RegistryUnreachable
from bot.ports import Clock
from bot.registry.endpoints import Endpoint, bare_host
from bot.registry.guard import REGISTRY_ZONES, foreign_zones
from bot.registry.headers import quota, retry_after
from bot.registry.hosts import DOWN_SECONDS, Host, Hosts, Loops, Sleep
from bot.registry.login import Logins, refused_login
from bot.registry.pace import Patience
from bot.registry.settings import RegistrySettings
from bot.registry.wire import Answer, Interrupted, NoConnection, Outgoing

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MOST_REDIRECTS: Final = 5
_TRY_AGAIN: Final = (500, 502, 503, 504)
_MOST_SILENCES: Final = 4
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


class _StillDown(NoConnection):
    """The host was found to be down a moment ago: not asked."""


@dataclass(slots=True)
class _Tries:
    """What one question has cost so far."""

    logins: int = 0
    failures: int = 0
    patience: Patience = field(default_factory=Patience)


class Exchange:
    """Asks hosts. What it learns outlives event loops; safe from several threads."""

    def __init__(self, settings: RegistrySettings, clock: Clock, sleep: Sleep) -> None:
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self.hosts = Hosts()
        self.loops = Loops(clock, sleep)
        self._logins = Logins(settings.docker_config, clock, self.hosts, self.loops)

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
            tries.logins += 1
            if tries.logins > 1:
                raise refused_login(host)
            return True
        wait = retry_after(answer.headers.get("Retry-After"), answer.body, self._clock.now())
        if answer.status == 429 or (answer.status == 503 and wait is not None):
            tries.patience.told(host.pace, answer.status, wait, self._clock.monotonic())
            return True
        if answer.status in _TRY_AGAIN and tries.failures == 0:
            tries.failures += 1
            await self._sleep(_AGAIN_SECONDS * (1 + random.random()))  # noqa: S311 - no secret
            return True
        return False

    def _learn(self, host: Host, answer: Answer) -> None:
        headers = answer.headers
        left = quota(
            headers.get("RateLimit-Limit") or headers.get("X-RateLimit-Limit"),
            headers.get("RateLimit-Remaining") or headers.get("X-RateLimit-Remaining"),
        )
        host.quota = left or host.quota

    async def _attempt(self, host: Host, question: Question, tries: _Tries) -> Answer | None:
        """Send once, remembering hosts that cannot be connected to; None asks for another attempt."""
        try:
            self._check_up(host)
            return await self._first_alone(host, question)
        except _StillDown:
            raise
        except Interrupted:
            if tries.failures:
                raise
        except NoConnection as error:
            if tries.failures or host.endpoint.mirror:
                self._give_up_on(host, error)
                raise
        except RegistryUnreachable as error:
            host.silences += 1
            if host.silences >= _MOST_SILENCES:
                self._give_up_on(host, error)
            raise
        tries.failures += 1
        await self._sleep(_AGAIN_SECONDS)
        return None

    def _give_up_on(self, host: Host, error: RegistryError) -> None:
        """Believe for some seconds that the host is down: the other questions to it fail at once."""
        host.down = (error.message, self._clock.monotonic() + DOWN_SECONDS)

    def _check_up(self, host: Host) -> None:
        if host.down is not None and self._clock.monotonic() < host.down[1]:
            raise _StillDown(host.down[0])

    async def _first_alone(self, host: Host, question: Question) -> Answer:
        """Let the first question to a host go alone: it learns for all whether a login is wanted.

        The others wait for it at most once: for its answer, or until its time is up.
        """
        firsts = self.loops.here().firsts
        while not host.met:
            if (first := firsts.get(host.endpoint.host)) is not None:
                await first.wait()
                self._check_up(host)
                continue
            done = firsts[host.endpoint.host] = asyncio.Event()
            try:
                return await self._meet(host, question)
            finally:
                del firsts[host.endpoint.host]
                done.set()
        return await self._through_gate(host, question)

    async def _meet(self, host: Host, question: Question) -> Answer:
        if host.scheme is None:
            host.scheme = await _tried_scheme(host.endpoint.host)
        try:
            answer = await self._through_gate(host, question)
        except NoConnection:
            raise
        except RegistryError:
            host.met = True
            raise
        host.met = True
        return answer

    async def _through_gate(self, host: Host, question: Question) -> Answer:
        while True:
            login = await self._logins.login(host, question.repository)
            try:
                answer = await self._send(host, _outgoing(host, question, login.header))
            except BaseException:
                self._logins.undecided(login)
                raise
            self._logins.learn(host, login, answer, question.repository)
            if answer.status != 401 or not login.shared:
                return answer

    async def _send(self, host: Host, request: Outgoing) -> Answer:
        """Send through the host's door, and follow its redirects with no more than it may have."""
        here, asked = self.loops.here(), request
        async with here.gate(host.pace).pass_through() as pauses:
            self._check_up(host)  # it may have gone down while this question stood at the door
            for _ in range(_MOST_REDIRECTS):
                answer = await self._counted(asked)
                if asked is request:
                    host.silences, host.zone = 0, answer.zone
                    _praise(host, answer, pauses)
                if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                    return _own(host, request, answer)
                asked = _redirected(host, asked, answer)
        raise RegistryAnswerInvalid(f"{host.endpoint.name} redirects more than {_MOST_REDIRECTS} times")

    async def _counted(self, asked: Outgoing) -> Answer:
        """Send, and count what was sent; where there is no connection, nothing was."""
        wire = self.loops.here().wire
        try:
            answer = await wire.send(asked)
        except NoConnection:
            raise
        except BaseException:
            self.hosts.count(asked.method)
            raise
        self.hosts.count(asked.method)
        return answer


def _outgoing(host: Host, question: Question, authorization: str | None) -> Outgoing:
    headers = {"Accept": question.accept} | ({"Authorization": authorization} if authorization else {})
    url = httpx.URL(f"{host.scheme}://{host.endpoint.host}{question.target}")
    seconds = host.endpoint.settings.timeout
    return Outgoing(question.method, url, headers, question.limit, seconds, REGISTRY_ZONES, host.tls)


def _praise(host: Host, answer: Answer, pauses: int) -> None:
    """A good answer makes a host that was slowed down a little faster."""
    if answer.status < 500 and answer.status != 429:
        host.pace.answered(pauses)


def _own(host: Host, request: Outgoing, answer: Answer) -> Answer:
    """The answer, unless another host asks for a login: ours is for the registry alone.

    Raises:
        RegistryLoginFailed: The place where a redirect led wants a login of its own.
    """
    if answer.status == 401 and _origin(answer.url) != _origin(request.url):
        raise RegistryLoginFailed(
            f"{host.endpoint.name} redirects to {answer.url.host}, which wants a login; none was sent there"
        )
    return answer


def _origin(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc


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
    if _origin(url) == _origin(request.url):
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
