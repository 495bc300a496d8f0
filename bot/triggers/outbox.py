"""Messages that somebody has yet to take: kept in the store, tried again, and given up after days."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.cycle.cleanup import OWED_ANSWER, OWED_NOTICE
from bot.ports import Clock, Store
from bot.report import wording

log: Final = logging.getLogger(__name__)
KINDS: Final = {"notification": OWED_NOTICE, "answer": OWED_ANSWER}
_FIRST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(hours=1)
_GIVE_UP: Final = timedelta(days=3)  # a weekend, and the day on which somebody mends it
# Longer than any attempt takes: of several processes, one tries.
_HELD: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is still to be taken.

    Attributes:
        way: Who is to take it; where one letter is refused, the others of this way wait for the next round.
        body: What it says, in the words of its sender.
        since: When it was written, in ISO 8601.
        due: When it is tried next, likewise.
        tries: How often it was tried.
        given_up: True where it is not tried any more.
    """

    way: str
    body: dict[str, str]
    since: str
    due: str
    tries: int = 0
    given_up: bool = False


class Outbox:
    """Letters of one kind, by key: the newest one of a key is what counts.

    A letter is gone once it was taken, and not before: who dies in between tries it again. It is tried
    again after 5 seconds, then each time after twice as long, at most an hour, for three days.

    Args:
        name: Of the kind, in the ledger: `owed-notice`.
        carry: Brings a letter where it is to go; True where it was taken.
        store: Keeps them.
        clock: Wall time.
    """

    def __init__(self, name: str, carry: Callable[[str, Letter], bool], store: Store, clock: Clock) -> None:
        self._name, self._carry, self._store, self._clock = name, carry, store, clock
        self._turn = threading.Lock()

    def put(self, key: str, way: str, body: dict[str, str]) -> None:
        """Keep a letter until it is taken; the same one again changes nothing.

        Raises:
            StoreError: It cannot be kept.
        """
        with self._turn:
            known = self._store.remembered(self._name, key)
            if known is None or _read(known).body != body:
                now = self._clock.now().isoformat()
                self._save(key, Letter(way, body, now, now))

    def take_back(self, key: str) -> None:
        """Let go of a letter that nobody needs any more."""
        with self._turn:
            self._store.forget(self._name, key)

    def letters(self) -> dict[str, Letter]:
        """All that are kept, oldest first."""
        return letters(self._store, self._name)

    def deliver(self, *, given_up: bool = False) -> None:
        """Try what is due, the oldest first.

        Args:
            given_up: Try what was given up as well, once.

        Raises:
            StoreError: The store cannot be used; nothing is lost.
        """
        with self._turn:
            stuck = set[str]()
            for key, letter in self.letters().items():
                wanted = given_up if letter.given_up else self._is_due(letter)
                if wanted and letter.way not in stuck and not self._try(key):
                    stuck.add(letter.way)

    def _is_due(self, letter: Letter) -> bool:
        """A clock that was set back holds nothing up for longer than the longest wait."""
        wait = datetime.fromisoformat(letter.due) - self._clock.now()
        return not timedelta(0) < wait <= _LONGEST

    def _try(self, key: str) -> bool:
        """Try one letter, unless another process is at it; False where it was refused."""
        held = f"{self._name}-held"
        if self._store.admit(held, key, self._clock.now(), 1, _HELD):
            return True
        kept = self._store.remembered(self._name, key)
        taken = kept is None or self._carry(key, _read(kept))
        if taken:
            self._store.forget(self._name, key)
        elif kept is not None:
            self._again(key, _read(kept))
        self._store.forget(held, key)
        return taken

    def _again(self, key: str, letter: Letter) -> None:
        """Note when a letter that was refused is tried next, or that it is given up."""
        now, tries = self._clock.now(), letter.tries + 1
        wait = min(_LONGEST, _FIRST * 2 ** min(tries - 1, 20))
        given_up = now - datetime.fromisoformat(letter.since) >= _GIVE_UP
        self._save(key, replace(letter, tries=tries, due=(now + wait).isoformat(), given_up=given_up))
        if given_up:
            log.error("%s: given up after %d attempts since %s", self._name, tries, letter.since)

    def _save(self, key: str, letter: Letter) -> None:
        self._store.remember(self._name, key, self._clock.now(), json.dumps(asdict(letter)))


def undelivered(store: Store) -> list[str]:
    """What was not taken, as lines for the operator; none where all was."""
    lines = []
    for what, name in KINDS.items():
        owed = letters(store, name).values()
        given_up = sum(one.given_up for one in owed)
        late = sum(one.tries > 0 and not one.given_up for one in owed)
        if late:
            lines.append(f"{wording.count(late, what)} not taken yet; tried again: the log says why")
        if given_up:
            lines.append(f"{wording.count(given_up, what)} given up; mend the cause, and start the bot again")
    return lines


def letters(store: Store, name: str) -> dict[str, Letter]:
    """The letters of a kind, oldest first."""
    found = {key: _read(value) for key, value in store.noted(name).items()}
    return dict(sorted(found.items(), key=lambda one: (one[1].since, one[0])))


def _read(value: str) -> Letter:
    return Letter(**json.loads(value))
