"""Tokens: kept until shortly before they expire, fetched once however many wait, shared where that works.

One token may be good for several repositories (distribution's token protocol allows several scopes in a
request). Not every registry honours that, so one pair is tried first; the rest follow when the registry
accepted the shared token for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from weakref import WeakKeyDictionary

from bot.errors import RegistryError, RegistryRateLimited, RegistryUnreachable
from bot.ports import Clock
from bot.registry.auth import Asker, Send, Token, TokenKey, fetch

_MOST_SHARED: Final = 50
_MOST_SCOPE_TEXT: Final = 2_000  # a longer token would not fit into the headers that proxies let through
_PAIR: Final = 2
_MOST_REFUSALS: Final = 3
_TRIAL_SECONDS: Final = 5.0  # the others wait no longer for what a trial shows


@dataclass(slots=True)
class _Sharing:
    """Whether one realm's registry honours shared tokens, as far as we have seen.

    Attributes:
        proved: It has.
        refusals: Trials that ended with a refusal; after three, sharing is not tried again.
        trial: Keys of the pair on trial that were not accepted yet.
        alone: Keys that get a token of their own, since a shared one was refused for them.
    """

    proved: bool = False
    refusals: int = 0
    trial: set[TokenKey] = field(default_factory=set)
    alone: set[TokenKey] = field(default_factory=set)

    @property
    def given_up(self) -> bool:
        return not self.proved and self.refusals >= _MOST_REFUSALS

    @property
    def size(self) -> int:
        """How many scopes the next token may cover."""
        if self.proved:
            return _MOST_SHARED
        return 1 if self.given_up or self.trial else _PAIR

    def accept(self, key: TokenKey) -> None:
        """The registry took a shared token for this key."""
        if key in self.trial:
            self.trial.discard(key)
            self.proved = not self.trial

    def refuse(self, keys: Iterable[TokenKey]) -> None:
        """A shared token was not given, or not taken, for these keys."""
        self.alone |= set(keys)
        if not self.proved:
            self.refusals += 1
            self.trial = set()


class _Line:
    """Those who wait for a token of one realm, service and credential, in one event loop."""

    def __init__(self, sharing: _Sharing, kept: dict[TokenKey, Token], clock: Clock) -> None:
        self._sharing, self._kept, self._clock = sharing, kept, clock
        self._coming: dict[TokenKey, asyncio.Future[Token]] = {}
        self._waiting: dict[TokenKey, None] = {}
        self._runners: set[asyncio.Task[None]] = set()
        self._decided = asyncio.Event()

    async def join(self, key: TokenKey, asker: Asker, send: Send) -> Token:
        """Wait for a token; whoever waits already for the same one is joined."""
        if key not in self._coming:
            future: asyncio.Future[Token] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._coming[key] = future
            self._waiting[key] = None
            self._run(asker, send)
        return await asyncio.shield(self._coming[key])

    def _run(self, asker: Asker, send: Send) -> None:
        """Fetch in pairs of tasks while much is to be learned or shared, else as fast as the gate allows."""
        most = 8 if self._sharing.given_up else 2
        while self._waiting and len(self._runners) < min(most, len(self._waiting)):
            task = asyncio.create_task(self._serve(asker, send))
            self._runners.add(task)
            task.add_done_callback(self._runners.discard)

    async def _serve(self, asker: Asker, send: Send) -> None:
        await asyncio.sleep(0)  # those who come at the same moment may share a token
        while self._waiting:
            await self._verdict(min(_TRIAL_SECONDS, asker.seconds))
            if self._waiting:
                await self._fetch(self._take(), asker, send)
            self._run(asker, send)

    async def _verdict(self, seconds: float) -> None:
        """Wait while a pair is on trial: the others may share what it proves."""
        while self._sharing.trial:
            await self._verdict_once(seconds)

    async def _verdict_once(self, seconds: float) -> None:
        self._decided.clear()
        try:
            await asyncio.wait_for(self._decided.wait(), seconds)
        except TimeoutError:
            self._sharing.trial = set()

    def look_again(self) -> None:
        """Something was learned about sharing."""
        if not self._sharing.trial:
            self._decided.set()

    def _take(self) -> list[TokenKey]:
        """The next ones in line who go together."""
        first = next(iter(self._waiting))
        taken, text = [first], len(first.scope)
        most = 1 if first in self._sharing.alone else self._sharing.size
        for key in self._waiting:
            fits = len(taken) < most and text + len(key.scope) <= _MOST_SCOPE_TEXT
            if fits and key is not first and key not in self._sharing.alone:
                taken.append(key)
                text += len(key.scope)
            if len(taken) == most:
                break
        for key in taken:
            del self._waiting[key]
        if len(taken) > 1 and not self._sharing.proved:
            self._sharing.trial = set(taken)
        return taken

    async def _fetch(self, keys: list[TokenKey], asker: Asker, send: Send) -> None:
        try:
            token = await fetch(keys[0], [key.scope for key in keys], asker, send, self._clock)
        except (RegistryUnreachable, RegistryRateLimited) as error:
            self._fail(keys, error)
        except RegistryError as error:
            if len(keys) == 1:
                self._fail(keys, error)
            else:  # one of them may be the reason: each gets its own answer
                self._sharing.refuse(keys)
                self._waiting = dict.fromkeys(keys) | self._waiting
        except BaseException as error:  # nobody may wait for ever, whatever went wrong
            for key in keys:
                self._coming.pop(key).set_exception(error)
            raise
        else:
            for key in keys:
                self._kept[key] = token
                self._coming.pop(key).set_result(token)

    def _fail(self, keys: list[TokenKey], error: RegistryError) -> None:
        for key in keys:
            self._coming.pop(key).set_exception(type(error)(error.message, hint=error.hint))


class Tokens:
    """The tokens of all registries; they outlive event loops. Waiting for one is per loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[TokenKey, Token] = {}
        self._sharing: dict[TokenKey, _Sharing] = {}
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[TokenKey, _Line]] = WeakKeyDictionary()

    async def get(self, key: TokenKey, asker: Asker, send: Send) -> Token:
        """A token that is good for some time yet.

        Raises:
            RegistryLoginFailed: The token server refuses the login.
            RegistryError: It cannot be asked, or its answer is wrong.
        """
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic() < kept.renew:
            return kept
        return await self._line(key).join(key, asker, send)

    def accepted(self, key: TokenKey) -> None:
        """The registry took the token: a shared one has shown that sharing works."""
        self._of_realm(key).accept(key)
        self._line(key).look_again()

    def undecided(self, key: TokenKey) -> None:
        """No answer came: a trial with this token shows nothing."""
        self._of_realm(key).trial = set()
        self._line(key).look_again()

    def refused(self, key: TokenKey, value: str) -> None:
        """The registry refused this token: the next call fetches another one, for this scope alone."""
        if (kept := self._kept.get(key)) is not None and kept.value == value:
            del self._kept[key]
            if kept.shared:
                self._of_realm(key).refuse([key])
                self._line(key).look_again()

    def _of_realm(self, key: TokenKey) -> _Sharing:
        return self._sharing.setdefault(replace(key, scope=""), _Sharing())

    def _line(self, key: TokenKey) -> _Line:
        lines = self._lines.setdefault(asyncio.get_running_loop(), {})
        realm = replace(key, scope="")
        if realm not in lines:
            lines[realm] = _Line(self._of_realm(key), self._kept, self._clock)
        return lines[realm]
