"""The lease of a store that many machines share: an advisory lock, and a heartbeat beside it.

The lock ends with its connection, so a process that dies gives it back at once. A process that is frozen,
or whose machine is gone, keeps its connection: its heartbeat stops, and whoever comes next may end it.
When such a process goes on, it finds its lease gone before it reads or writes anything more.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString

import psycopg

from bot.errors import LeaseHeld, StoreError
from bot.store.holder import this_process
from bot.store.postgresql import connecting

_LOCK: Final = 0x7265666975
_NAME: Final = "cycle"
_BEAT_SECONDS: Final = 5.0
_STALE_SECONDS: Final = 30.0
_TAKEOVER_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 0.5

_TAKE: Final[LiteralString] = (
    "INSERT INTO leases (name, holder, beat) VALUES (%s, %s, now()) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, beat = now()"
)
_HOLDS: Final[LiteralString] = (
    "locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = %s"
)
# Whoever has just come has the lock a moment before its name is written: until then the beat is another's.
_STALE: Final[LiteralString] = (
    "SELECT holder FROM leases WHERE name = %s AND beat < now() - make_interval(secs => %s) "  # noqa: S608 - of constants
    "AND NOT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) "
    f"WHERE {_HOLDS} AND backend_start > now() - make_interval(secs => %s))"
)
_END_HOLDER: Final[LiteralString] = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {_HOLDS}"  # noqa: S608 - likewise


@contextmanager
def tenure(
    url: str, *, beat: float = _BEAT_SECONDS, stale: float = _STALE_SECONDS
) -> Iterator[Callable[[], None]]:
    """Hold the lease of a PostgreSQL store whose tables are made.

    Args:
        url: Of the database.
        beat: Seconds between two heartbeats.
        stale: Seconds without one, after which others take the lease over.

    Yields:
        A check that raises `LeaseHeld` where the lease was lost meanwhile.

    Raises:
        LeaseHeld: Another process holds it; the message names it.
        StoreError: The database does not answer.
    """
    held = _Tenure(url, stale)
    try:
        held.take()
        thread = threading.Thread(target=held.keep, args=(beat,), name="refit-lease", daemon=True)
        thread.start()
        yield held.check
    except psycopg.Error as error:
        raise _unknown(error) from error
    finally:
        held.end()


class _Tenure:
    def __init__(self, url: str, stale: float) -> None:
        self._connecting, self._stale = connecting(url), stale
        self._me = f"{this_process()} {uuid.uuid4().hex[:8]}"
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._connection = self._connect()
        self._confirmed = time.monotonic()
        self._lost = ""

    def take(self) -> None:
        """Take the lock, from a holder whose heart does not beat if need be."""
        if not self._locked():
            if not self._one(_STALE, _NAME, self._stale, _LOCK, self._stale):
                raise _held(self._holder(), "drives the cycle of this store")
            self._connection.execute(_END_HOLDER, (_LOCK,))
            self._wait_for_lock()
        self._connection.execute(_TAKE, (_NAME, self._me))

    def keep(self, seconds: float) -> None:
        """Beat until the end; what goes wrong, the next check tells."""
        while not self._ended.wait(seconds):
            with suppress(StoreError):
                self.check(sure=0.0)

    def check(self, sure: float | None = None) -> None:
        """Tell whether the lease is still ours, asking the database where the last answer is old.

        Args:
            sure: Seconds for which the last answer counts: well below those after which others take over.

        Raises:
            LeaseHeld: It was lost.
            StoreError: The database does not answer: it may be lost.
        """
        sure = self._stale / 3 if sure is None else sure
        with self._lock:
            if not self._lost and time.monotonic() - self._confirmed > sure:
                try:
                    self._confirm()
                except psycopg.Error as error:
                    raise _unknown(error) from error
            if self._lost:
                raise _held(self._lost, "took over while this one stood still")

    def end(self) -> None:
        """Give it back."""
        self._ended.set()
        with suppress(psycopg.Error):
            self._connection.close()

    def _confirm(self) -> None:
        """Ask the database; the answer is as old as the question: we may stand still before we read it."""
        asked = time.monotonic()
        try:
            self._beat()
        except psycopg.OperationalError:
            self._connection.close()
            self._regain()
        self._confirmed = asked

    def _beat(self) -> None:
        self._connection.execute("UPDATE leases SET beat = now() WHERE name = %s", (_NAME,))

    def _regain(self) -> None:
        """The connection was lost: where nobody came in between, the lease is ours again."""
        deadline = time.monotonic() + self._stale
        while True:
            try:
                self._connection = self._connect()
                break
            except psycopg.OperationalError:
                if self._ended.is_set() or time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
        if self._holder() != self._me or not self._locked():
            self._lost = self._holder()
            return
        self._beat()

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**self._connecting, autocommit=True)

    def _locked(self) -> bool:
        return bool(self._one("SELECT pg_try_advisory_lock(%s)", _LOCK))

    def _wait_for_lock(self) -> None:
        deadline = time.monotonic() + _TAKEOVER_SECONDS
        while not self._locked():
            if time.monotonic() > deadline:
                raise _held(self._holder(), "stands still and keeps the store's lease")
            time.sleep(_AGAIN_SECONDS)

    def _holder(self) -> str:
        return self._one("SELECT holder FROM leases WHERE name = %s", _NAME) or "process unknown"

    def _one(self, query: LiteralString, *values: object) -> Any:
        """The first column of the first row, or None."""
        row = self._connection.execute(query, values).fetchone()
        return row[0] if row else None


def _unknown(error: psycopg.Error) -> StoreError:
    return StoreError(f"the store's lease cannot be had: {error}", hint="Is the database up?")


def _held(holder: str, what: str) -> LeaseHeld:
    """Who holds it, in words: what tells two of a process's leases apart is left out."""
    who = holder.rpartition(" ")[0]
    return LeaseHeld(f"another Refit ({who}) {what}", who=who)
