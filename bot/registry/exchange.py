"""One question to one host, until it is answered: login, pace, retries and redirects."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

from bot.errors import RegistryError, RegistryUnreachable
from bot.ports import Clock
from bot.registry import scheme
from bot.registry.endpoints import Endpoint
from bot.registry.faults import Interrupted, NoConnection
from bot.registry.gate import Sleep
from bot.registry.headers import retry_after
from bot.registry.hosts import Host, Hosts, StillDown
from bot.registry.login import Logins, refused_login
from bot.registry.loops import Loops
from bot.registry.pace import Patience
from bot.registry.sending import Question, Sender
from bot.registry.settings import RegistrySettings
from bot.registry.wire import Answer

_TRY_AGAIN: Final = (500, 502, 503, 504)
_AGAIN_SECONDS: Final = 0.5


@dataclass(slots=True)
class _Tries:
    """What one question has cost so far; a mirror is asked once, for others can answer in its place."""

    mirror: bool
    logins: int = 0
    failures: int = 0
    patience: Patience = field(default_factory=Patience)


class Exchange:
    """Asks hosts. What it learns outlives event loops; safe from several threads."""

    def __init__(self, settings: RegistrySettings, clock: Clock, sleep: Sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self.hosts = Hosts()
        self.loops = Loops(clock, sleep)
        self._sender = Sender(self.hosts, self.loops, clock)
        self._logins = Logins(settings.docker_config, clock, self.hosts, self.loops)

    async def ask(self, endpoint: Endpoint, question: Question) -> Answer:
        """Ask until there is an answer; its status may be any but 401, 429 and a redirect.

        Raises:
            RegistryError: There is none; the kind of error says why.
        """
        host, tries = self.hosts.get(endpoint), _Tries(endpoint.mirror)
        while True:
            answer = await self._attempt(host, question, tries)
            if answer is not None and not await self._again(host, answer, tries):
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

    async def _attempt(self, host: Host, question: Question, tries: _Tries) -> Answer | None:
        """Send once, remembering hosts that cannot be connected to; None asks for another attempt."""
        try:
            host.check_up(self._clock.monotonic())
            return await self._first_alone(host, question)
        except StillDown:
            raise
        except Interrupted:
            if tries.failures:
                raise
        except NoConnection as error:
            if tries.failures or tries.mirror:
                host.give_up(error, self._clock.monotonic())
                raise
        except RegistryUnreachable as error:
            host.silent(error, self._clock.monotonic())
            raise
        tries.failures += 1
        await self._sleep(_AGAIN_SECONDS)
        return None

    async def _first_alone(self, host: Host, question: Question) -> Answer:
        """Let the first question to a host go alone: it learns for all whether a login is wanted.

        The others wait for it at most once: for its answer, or until its time is up.
        """
        firsts = self.loops.here().firsts
        while not host.met:
            if (first := firsts.get(host.endpoint.host)) is not None:
                await first.wait()
                host.check_up(self._clock.monotonic())
                continue
            done = firsts[host.endpoint.host] = asyncio.Event()
            try:
                return await self._meet(host, question)
            finally:
                del firsts[host.endpoint.host]
                done.set()
        return await self._logged_in(host, question)

    async def _meet(self, host: Host, question: Question) -> Answer:
        if host.scheme is None:
            host.scheme = await scheme.tried(host.endpoint.host)
        try:
            answer = await self._logged_in(host, question)
        except NoConnection:
            raise
        except RegistryError:
            host.met = True
            raise
        host.met = True
        return answer

    async def _logged_in(self, host: Host, question: Question) -> Answer:
        """Ask with the login that the host wants, as far as is known; a refusal is learned from."""
        while True:
            login = await self._logins.login(host, question.repository)
            try:
                answer = await self._sender.send(host, question, login.header)
            except BaseException:
                self._logins.undecided(login)
                raise
            self._logins.learn(host, login, answer)
            if answer.status != 401 or not login.shared:
                return answer
