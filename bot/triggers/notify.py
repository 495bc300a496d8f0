"""Notifications: what nobody asked for, told on change, once to each destination."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from bot.cycle.told import Owed
from bot.errors import LeaseHeld, RefitError, StoreError
from bot.model.notice import Notice, NoticeKind
from bot.model.run import RunResult
from bot.model.sboms import SbomRescan
from bot.ports import Clock, Store, Task
from bot.report import notices
from bot.report.quote import title, visible

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

    It is noted that something was told once the destination has taken it, and not before: a vulnerability
    that nobody hears of does harm, one that is told twice does none. So nothing is lost, whenever the
    process dies; told twice is only what it was about to note at that moment, after the destination's
    answer. Threads take turns, and of the processes the one that tells holds the lease.

    Args:
        to: Apprise URLs; each holds a secret and is never shown.
        about: Which kinds are told.
        store: Holds the ledger of what was told.
        clock: Wall time.
        send: Sends title and text to a URL; True where it was taken.
    """

    def __init__(
        self, to: Sequence[str], about: Iterable[NoticeKind], store: Store, clock: Clock, send: Send
    ) -> None:
        self._to, self._about = tuple(to), frozenset(about)
        self._store, self._clock, self._send = store, clock, send
        self._turn = threading.Lock()

    def tell(self, notices: Iterable[Notice]) -> frozenset[str]:
        """Tell what changed; gives the keys of what a destination has yet to take."""
        wanted = [one for one in notices if one.kind in self._about]
        with self._turn:
            return frozenset(key for url in self._to for key in self._tell_to(url, wanted))

    def over(self, kind: NoticeKind, key: str) -> None:
        """It is no longer so: should it come again, it is told again."""
        try:
            for url in self._to:
                self._store.forget(_LEDGER, _key(url, kind, key))
        except StoreError as error:
            log.warning("the ledger of notices cannot be used: %s", error.message)

    def _tell_to(self, url: str, notices: Iterable[Notice]) -> Iterator[str]:
        summed = False
        for notice in notices:
            # A summary names what is blocked: the same is not told twice.
            quiet = summed and notice.kind is NoticeKind.BLOCKED
            taken = self._taken(url, notice, quiet=quiet)
            summed = summed or (taken and notice.kind is NoticeKind.SUMMARY)
            if not taken:
                yield notice.key

    def _taken(self, url: str, notice: Notice, *, quiet: bool) -> bool:
        """Send what this destination has not heard yet; False where it is still to hear it."""
        key, head = _key(url, notice.kind, notice.key), _harmless(notice.title)[:_TITLE]
        try:
            heard = self._store.remembered(_LEDGER, key)
            nothing = heard is None and not notice.lines  # that there was nothing to do is no news
            if heard != notice.state:
                if not (quiet or nothing or self._send(url, head, _text(notice))):
                    log.error("%s: destination %d did not take it", head, self._to.index(url) + 1)
                    return False
                self._store.remember(_LEDGER, key, self._clock.now(), notice.state)
        except StoreError as error:
            log.error("%s may not have been told: %s", head, error.message)  # noqa: TRY400 - expected
            return False
        return True


class News:
    """What the worker has to tell unasked.

    Args:
        notifier: Tells it; None where nobody wants to know.
    """

    def __init__(self, notifier: Notifier | None = None) -> None:
        self._notifier = notifier

    def cycle(self, result: RunResult) -> None:
        """A cycle is done."""
        if self._notifier is not None:
            self._notifier.tell(notices.of_cycle(result))

    def sboms(self, result: SbomRescan) -> frozenset[Owed]:
        """All SBOMs were scanned with a newer database; gives what a destination has yet to take."""
        if self._notifier is None:
            return frozenset()
        for one in result.rescanned:
            for found in one.withdrawn:
                self._notifier.over(NoticeKind.CRITICAL, notices.found_in(one.name, found))
        keys = self._notifier.tell(notices.of_sboms(result))
        found_new = [(one.name, known.vulnerability) for one, known in result.new]
        return frozenset(
            (name, found.identity) for name, found in found_new if notices.found_in(name, found) in keys
        )

    def failed(self, task: Task, error: Exception) -> None:
        """Work that nobody waits for failed as a whole; that another process does it is no failure."""
        if self._notifier is None or "period" not in task.value or isinstance(error, LeaseHeld):
            return
        message = (
            error.message if isinstance(error, RefitError) else f"a bug in Refit: {type(error).__name__}"
        )
        hint = error.hint if isinstance(error, RefitError) else "Its log says where; please report it."
        self._notifier.tell([notices.failure(task.name, message, hint)])

    def worked(self, task: Task) -> None:
        """It was done: should it fail again, that is news."""
        if self._notifier is not None:
            self._notifier.over(NoticeKind.FAILURE, task.name)


def _text(notice: Notice) -> str:
    return "\n".join(_plain(one) for one in notice.lines)


def _plain(line: str) -> str:
    """One line that calls nobody, wherever it arrives; addresses of pages stay whole."""
    words = visible(line, limit=_LINE).split(" ")
    return " ".join(word if _PAGE.fullmatch(word) else _harmless(word) for word in words)


def _harmless(text: str) -> str:
    return title(text, limit=_LINE).translate(_BRACKETS)


def _key(url: str, kind: NoticeKind, key: str) -> str:
    """One entry for each destination and thing; a digest, for the URL is a secret."""
    return f"{kind} {hashlib.sha256(f'{url} {key}'.encode(errors='surrogatepass')).hexdigest()}"[:_KEY]
