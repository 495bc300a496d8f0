"""Notifications: what nobody asked for, told on change, once to each destination."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bot.cycle.cleanup import OWED_NOTICE
from bot.errors import LeaseHeld, RefitError, StoreError
from bot.model.notice import Notice, NoticeKind
from bot.model.run import RunResult
from bot.model.sboms import SbomRescan
from bot.ports import Clock, Store, Task
from bot.report import notices
from bot.report.quote import title, visible
from bot.triggers.outbox import Letter, Outbox

log: Final = logging.getLogger(__name__)
_LEDGER: Final = "notice"
_TITLE: Final = 150
_LINE: Final = 300
_KEY: Final = 300
_PAGE: Final = re.compile(r"https?://[A-Za-z0-9.:/_#?=&%+~-]+")
_BRACKETS: Final = str.maketrans("<>", "()")  # Slack reads <!channel> as a call

Send = Callable[[str, str, str], bool]


class Notifier:
    """Tells notices.

    A notice is kept in an outbox until its destination has taken it, and it is noted then that it was told,
    not before: a vulnerability that nobody hears of does harm, one that is told twice does none. So nothing
    is lost, whenever the process dies; told twice is only what it was about to note at that moment, after the
    destination's answer.

    Args:
        to: Apprise URLs; each holds a secret and is never shown.
        about: Which kinds are told.
        store: Holds the outbox and the ledger of what was told.
        clock: Wall time.
        send: Sends title and text to a URL; True where it was taken.
    """

    def __init__(
        self, to: Sequence[str], about: Iterable[NoticeKind], store: Store, clock: Clock, send: Send
    ) -> None:
        self._to, self._about = {_digest(url): url for url in to}, frozenset(about)
        self._store, self._clock, self._send = store, clock, send
        self._outbox = Outbox(OWED_NOTICE, self._carry, store, clock)

    def tell(self, notices: Iterable[Notice]) -> None:
        """Tell what changed.

        Raises:
            StoreError: It cannot be kept, and may not have been told.
        """
        self._owe([one for one in notices if one.kind in self._about])
        self._outbox.deliver()

    def deliver(self, *, given_up: bool = False) -> None:
        """Try again what a destination did not take.

        Args:
            given_up: Also what was given up; and where a destination is no longer configured, what it is owed
                goes to those that are.

        Raises:
            StoreError: The store cannot be used; nothing is lost.
        """
        for key, letter in self._outbox.letters().items() if given_up else ():
            if letter.way not in self._to:
                self._owe([_notice(letter)])
                self._outbox.take_back(key)
        self._outbox.deliver(given_up=given_up)

    def over(self, kind: NoticeKind, key: str) -> None:
        """It is no longer so: should it come again, it is told again."""
        try:
            for url in self._to.values():
                self._outbox.take_back(_key(url, kind, key))
                self._store.forget(_LEDGER, _key(url, kind, key))
        except StoreError as error:
            log.warning("the ledger of notices cannot be used: %s", error.message)

    def _owe(self, notices: Sequence[Notice]) -> None:
        summed = any(one.kind is NoticeKind.SUMMARY for one in notices)
        for way in self._to:
            for notice in notices:
                # A summary names what is blocked: the same is not told twice.
                self._owe_to(way, notice, quiet=summed and notice.kind is NoticeKind.BLOCKED)

    def _owe_to(self, way: str, notice: Notice, *, quiet: bool) -> None:
        """Put into the outbox what a destination has not heard yet."""
        key = _key(self._to[way], notice.kind, notice.key)
        heard = self._store.remembered(_LEDGER, key)
        nothing = heard is None and not notice.lines  # that there was nothing to do is no news
        if heard != notice.state and not quiet and not nothing:
            self._outbox.put(key, way, _body(notice))
            return
        self._outbox.take_back(key)
        self._store.remember(_LEDGER, key, self._clock.now(), notice.state)

    def _carry(self, key: str, letter: Letter) -> bool:
        """Send a notice; one that was told already is not told again."""
        notice = _notice(letter)
        if self._store.remembered(_LEDGER, key) == notice.state:
            return True
        if letter.way not in self._to:  # another process's, with another configuration
            return False
        head, number = _harmless(notice.title)[:_TITLE], list(self._to).index(letter.way) + 1
        if not self._send(self._to[letter.way], head, _text(notice)):
            log.error("%s: destination %d did not take it; it is tried again", head, number)
            return False
        self._store.remember(_LEDGER, key, self._clock.now(), notice.state)
        return True


class News:
    """What the worker has to tell unasked.

    Args:
        notifier: Tells it; None where nobody wants to know.
    """

    def __init__(self, notifier: Notifier | None = None) -> None:
        self._notifier = notifier

    def cycle(self, result: RunResult) -> None:
        """A cycle is done.

        Raises:
            StoreError: It may not have been told; to be called again.
        """
        if self._notifier is not None:
            self._notifier.tell(notices.of_cycle(result))

    def sboms(self, result: SbomRescan) -> None:
        """All SBOMs were scanned with a newer database.

        Raises:
            StoreError: It may not have been told; to be called again.
        """
        if self._notifier is None:
            return
        for one in result.rescanned:
            for found in one.withdrawn:
                self._notifier.over(NoticeKind.CRITICAL, notices.found_in(one.name, found))
        self._notifier.tell(notices.of_sboms(result))

    def failed(self, task: Task, error: Exception) -> None:
        """Work that nobody waits for failed as a whole; that another process does it is no failure."""
        if self._notifier is None or "period" not in task.value or isinstance(error, LeaseHeld):
            return
        message = (
            error.message if isinstance(error, RefitError) else f"a bug in Refit: {type(error).__name__}"
        )
        hint = error.hint if isinstance(error, RefitError) else "Its log says where; please report it."
        try:
            self._notifier.tell([notices.failure(task.name, message, hint)])
        except StoreError as gone:
            log.error("%s may not have been told: %s", message, gone.message)  # noqa: TRY400 - expected

    def worked(self, task: Task) -> None:
        """It was done: should it fail again, that is news."""
        if self._notifier is not None:
            self._notifier.over(NoticeKind.FAILURE, task.name)


def _body(notice: Notice) -> dict[str, str]:
    lines = "\n".join(line.replace("\n", " ") for line in notice.lines)
    return {
        "kind": notice.kind.value,
        "key": notice.key,
        "state": notice.state,
        "title": notice.title,
        "lines": lines,
    }


def _notice(letter: Letter) -> Notice:
    body = letter.body
    lines = tuple(body["lines"].split("\n")) if body["lines"] else ()
    return Notice(NoticeKind(body["kind"]), body["key"], body["state"], body["title"], lines)


def _text(notice: Notice) -> str:
    return "\n".join(_plain(one) for one in notice.lines)


def _plain(line: str) -> str:
    """One line that calls nobody, wherever it arrives; addresses of pages stay whole."""
    words = visible(line, limit=_LINE).split(" ")
    return " ".join(word if _PAGE.fullmatch(word) else _harmless(word) for word in words)


def _harmless(text: str) -> str:
    return title(text, limit=_LINE).translate(_BRACKETS)


def _key(url: str, kind: NoticeKind, key: str) -> str:
    """One entry for each destination and thing."""
    return f"{kind} {_digest(f'{url} {key}')}"[:_KEY]


def _digest(text: str) -> str:
    """What stands for a text in the store, for the URL is a secret."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
