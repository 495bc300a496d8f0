"""A service's day in a process of its own, which ends itself by SIGKILL at a chosen moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import httpx2 as httpx

from bot.cycle.parts import Parts
from bot.model.notice import NoticeKind
from bot.model.severity import Severity
from bot.model.vulnerability import Vulnerability
from bot.ports import Store, Task
from bot.triggers.notify import News, Notifier
from bot.triggers.worker import Worker
from tests.unit.cycle.sbom_world import OPENSSL, World

FIRST: Final = "sboms-2026-11-24"
SECOND: Final = "sboms-2026-11-25"
LATER: Final = timedelta(minutes=10)
_WRITES: Final = ("begin", "save_", "remember", "forget", "admit", "finish", "observe", "cache")


class Fate:
    """Ends the process by SIGKILL at the moment with this number; none is never reached."""

    def __init__(self, moment: int | None) -> None:
        self._moment, self._passed = moment, 0

    def moment(self) -> None:
        """One more moment has passed."""
        if self._passed == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)
        self._passed += 1


class MortalStore:
    """A store before each of whose writes the process may end."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store, self._fate = store, fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return self._mortal(method) if name.startswith(_WRITES) else method

    def _mortal(self, method: Callable[..., object]) -> Callable[..., object]:
        def write(*args: object, **options: object) -> object:
            self._fate.moment()
            return method(*args, **options)

        return write


def first_day(folder: Path) -> None:
    """A target was built, and its SBOM rescanned once: nothing is known."""
    world = World(folder)
    world.house.run()
    _work(world, "", FIRST, None)


def second_day(folder: Path, url: str, moment: int | None) -> None:
    """A critical vulnerability has become known; the process ends at a moment, or goes on to the end."""
    world = World(folder)
    world.image.append(Vulnerability("CVE-2026-1", OPENSSL, Severity.CRITICAL, "3.0.18"))
    world.database()
    _work(world, url, SECOND, moment)


def a_week_later(folder: Path, url: str) -> None:
    """The bot runs, and nothing new is known."""
    world = World(folder)
    world.house.clock.moment += timedelta(days=7)
    Notifier([url], NoticeKind, world.house.store, world.house.clock, _sent).deliver()
    world.house.store.close()


def _sent(to: str, head: str, text: str) -> bool:
    return httpx.post(to, json={"title": head, "message": text}).status_code == 200


def _work(world: World, url: str, period: str, moment: int | None) -> None:
    fate = Fate(moment)
    store = cast("Store", MortalStore(world.house.store, fate))

    def send(to: str, head: str, text: str) -> bool:
        fate.moment()
        return _sent(to, head, text)

    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        yield replace(world.house.parts(), store=store)

    notifier = Notifier([url] if url else [], NoticeKind, store, world.house.clock, send)
    Worker(parts, news=News(notifier))(Task("sboms", {"period": period}))
    world.house.clock.moment += LATER
    notifier.deliver()
    world.house.store.close()
