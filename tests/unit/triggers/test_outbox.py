"""What nobody took is tried again, by one process at a time, and given up where the operator sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.schedule import schedule
from bot.model.notice import Notice, NoticeKind
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.triggers.notify import Notifier
from bot.triggers.outbox import Outbox, undelivered
from bot.web.metrics import Counted, Metrics
from tests.unit.cycle.house import FakeClock

URL = "json://127.0.0.1/secret-path"
CRITICAL = Notice(NoticeKind.CRITICAL, "shop CVE-1", "known", "New critical vulnerability in shop", ("x",))
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path / "state"))
    yield opened
    opened.close()


@dataclass
class Destination:
    """A destination that may be down; each title that it was sent, and that it took."""

    up: bool = False
    sent: list[str] = field(default_factory=list)
    took: list[str] = field(default_factory=list)

    def __call__(self, url: str, head: str, text: str) -> bool:
        del url, text
        self.sent.append(head)
        self.took += [head] if self.up else []
        return self.up


def later(teller: Notifier, clock: FakeClock, span: timedelta) -> None:
    """So much time passes, with a look every five minutes."""
    for _ in range(span // FIVE_MINUTES):
        clock.moment += FIVE_MINUTES
        teller.deliver()


def metric(store: SqlStore, clock: FakeClock) -> dict[str, float]:
    families = Metrics(store, clock, dict, Counted(), tuple).collect()
    (family,) = [one for one in families if one.name == "refit_undelivered"]
    return {one.labels["state"]: one.value for one in family.samples if one.labels["kind"] == "notification"}


def test_what_nobody_takes_is_tried_ever_more_seldom_and_given_up_where_the_operator_sees_it(
    store: SqlStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, chat = FakeClock(), Destination()
    teller = Notifier([URL], NoticeKind, store, clock, chat)
    teller.tell([CRITICAL])
    assert undelivered(store) == ["1 notification not taken yet; tried again: the log says why"]
    assert metric(store, clock) == {"waiting": 1, "given_up": 0}

    later(teller, clock, timedelta(days=5))

    assert 72 < len(chat.sent) < 100, "at first within minutes, then every hour, for three days"
    assert "owed-notice: given up after" in caplog.text
    assert "secret-path" not in caplog.text
    given_up = "1 notification given up; mend the cause, and start the bot again"
    assert undelivered(store) == [given_up]
    assert metric(store, clock) == {"waiting": 0, "given_up": 1}
    config = tmp_path / "refit.yaml"
    config.write_text(f"state: {tmp_path / 'state'}\nprojects: [{{name: acme/shop}}]\n")
    schedule(config=config)
    assert given_up in capsys.readouterr().out

    chat.up = True
    later(teller, clock, timedelta(days=1))
    assert chat.took == []
    teller.deliver(given_up=True)  # the bot is started again
    assert chat.took == [CRITICAL.title]
    assert undelivered(store) == []


def test_of_many_processes_one_tries_and_what_is_taken_is_not_sent_again(
    store: SqlStore, tmp_path: Path
) -> None:
    clock, begun, going = FakeClock(), threading.Event(), threading.Event()
    carried: list[str] = []

    def slow(key: str, _: object) -> bool:
        carried.append(key)
        begun.set()
        return going.wait(20)

    first = Outbox("owed-notice", slow, store, clock)
    first.put("one", "slack", {"text": "hello"})
    at_it = threading.Thread(target=first.deliver)
    at_it.start()
    begun.wait(20)
    other_store = open_store(sqlite_url(tmp_path / "state"))
    other = Outbox("owed-notice", slow, other_store, clock)
    other.deliver()
    going.set()
    at_it.join()
    other.deliver()
    other_store.close()

    assert carried == ["one"]


def test_who_died_in_the_middle_of_an_attempt_holds_nobody_up_for_ever(store: SqlStore) -> None:
    clock = FakeClock()

    class Killed(BaseException):
        """The process ends here."""

    def dies(_: str, __: object) -> bool:
        raise Killed

    first = Outbox("owed-notice", dies, store, clock)
    first.put("one", "slack", {"text": "hello"})
    with pytest.raises(Killed):
        first.deliver()

    carried: list[str] = []

    def takes(key: str, _: object) -> bool:
        carried.append(key)
        return True

    next_life = Outbox("owed-notice", takes, store, clock)
    next_life.deliver()
    assert carried == []
    clock.moment += timedelta(minutes=6)
    next_life.deliver()
    assert carried == ["one"]


def test_one_that_is_refused_holds_up_its_own_way_for_one_round_and_no_other(store: SqlStore) -> None:
    clock = FakeClock()
    carried: list[str] = []

    def carry(key: str, _: object) -> bool:
        carried.append(key)
        return key != "gone channel"

    outbox = Outbox("owed-answer", carry, store, clock)
    for key, way in (("gone channel", "slack"), ("second", "slack"), ("third", "matrix")):
        outbox.put(key, way, {"text": key})
        clock.moment += timedelta(seconds=1)
    outbox.deliver()
    assert carried == ["gone channel", "third"]

    outbox.deliver()
    assert carried[2:] == ["second"]
    assert list(outbox.letters()) == ["gone channel"]


def test_a_clock_that_was_set_back_keeps_nothing_waiting_for_long(store: SqlStore) -> None:
    clock, chat = FakeClock(), Destination()
    teller = Notifier([URL], NoticeKind, store, clock, chat)
    teller.tell([CRITICAL])
    chat.up = True
    clock.moment -= timedelta(days=400)

    teller.deliver()

    assert chat.took == [CRITICAL.title]
