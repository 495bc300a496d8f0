"""Sending one question through a host's door, with its redirects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2 as httpx

from bot.errors import RegistryAnswerInvalid
from bot.ports import Clock
from bot.registry import redirects
from bot.registry.budget import quota
from bot.registry.faults import NoConnection
from bot.registry.guard import REGISTRY_ZONES
from bot.registry.hosts import Host, Hosts
from bot.registry.loops import Loops
from bot.registry.wire import Answer, Outgoing


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a host.

    Attributes:
        method: HEAD or GET.
        target: Path and query.
        repository: The repository as the host knows it, for the token's scope.
        limit: Most bytes of the answer.
        accept: Media types that we read.
        unless: ETag of what is known; where nothing changed, the answer is 304 without a body.
    """

    method: str
    target: str
    repository: str
    limit: int
    accept: str = "application/json"
    unless: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """What it says in its headers, but for the login."""
        known = {"If-None-Match": self.unless} if self.unless else {}
        return {"Accept": self.accept} | known


class Sender:
    """Sends questions, counts them, and notes what every answer tells of its host."""

    def __init__(self, hosts: Hosts, loops: Loops, clock: Clock) -> None:
        self._hosts, self._loops, self._clock = hosts, loops, clock

    async def send(self, host: Host, question: Question, authorization: str | None) -> Answer:
        """Send through the host's door, and follow its redirects with no more than they may have.

        Raises:
            RegistryError: There is no answer, or it leads where we do not go.
        """
        request = asked = _outgoing(host, question, authorization)
        name = host.endpoint.name
        async with self._loops.here().gate(host.pace).pass_through(request.method) as pauses:
            host.check_up(self._clock.monotonic())  # it may have gone down while this stood at the door
            for _ in range(redirects.MOST):
                answer = await self._counted(asked)
                self._hosts.answered(name, answer.status)
                if asked is request:
                    self._learn(host, request, answer, pauses)
                if not redirects.redirects(answer):
                    return redirects.own(request, answer, name)
                asked = redirects.followed(asked, answer, name)
        raise RegistryAnswerInvalid(f"{name} redirects more than {redirects.MOST} times")

    async def _counted(self, asked: Outgoing) -> Answer:
        """Send, and count what was sent; where there is no connection, nothing was."""
        try:
            answer = await self._loops.here().wire.send(asked)
        except NoConnection:
            raise
        except BaseException:
            self._hosts.count(asked.method)
            raise
        self._hosts.count(asked.method)
        return answer

    def _learn(self, host: Host, request: Outgoing, answer: Answer, pauses: int) -> None:
        """Where it lives, what it says is left, and that it may be asked a little faster again."""
        host.answered_from(answer.zone)
        said = quota(answer.headers, self._clock.now().timestamp())
        host.pace.budget.told(request.method, said, self._clock.monotonic())
        if answer.status < 500 and answer.status != 429:
            host.pace.answered(pauses)


def _outgoing(host: Host, question: Question, authorization: str | None) -> Outgoing:
    login = {"Authorization": authorization} if authorization else {}
    url = httpx.URL(f"{host.scheme}://{host.endpoint.host}{question.target}")
    return Outgoing(
        method=question.method,
        url=url,
        headers={**question.headers, **login},
        limit=question.limit,
        seconds=host.endpoint.settings.timeout,
        zones=REGISTRY_ZONES,
        tls=host.tls,
    )
