"""Notifications go out through real Apprise: once to each destination, and again only on change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cycle.monthly import run_cycle
from bot.cycle.parts import Parts
from bot.errors import ConfigError, ForgeUnavailable
from bot.model.notice import Notice, NoticeKind
from bot.model.run import CycleState, RunResult
from bot.notify import send, usable_urls
from bot.ports import Task
from bot.report import notices
from bot.triggers.notify import News, Notifier
from bot.triggers.worker import Worker
from tests.integration.chat.hooks import Hook, hook
from tests.integration.chat.ways import shop
from tests.unit.cycle.house import House

CRITICAL = Notice(
    NoticeKind.CRITICAL, "shop CVE-1 openssl", "known", "New critical vulnerability in shop", ("x",)
)


@pytest.fixture
def first() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def second() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = shop(tmp_path)
    yield made
    made.store.close()


def notifier(house: House, *hooks: Hook, about: tuple[NoticeKind, ...] = tuple(NoticeKind)) -> Notifier:
    return Notifier(usable_urls([one.url for one in hooks]), about, house.store, house.clock, send)


def test_a_cycle_is_told_in_one_message_and_the_same_again_is_not(house: House, first: Hook) -> None:
    teller = notifier(house, first)
    teller.tell(notices.of_cycle(house.run().result))
    teller.tell(notices.of_cycle(house.run().result))
    notifier(house, first).tell(notices.of_cycle(house.run().result))  # another process

    (message,) = first.got
    assert message["title"] == "Refit monthly-2026-11: 1 pull request"
    assert "pass · shop: debian:bookworm-slim → " in message["message"]
    assert "acme/shop/pull/1" in message["message"]


def test_a_cycle_with_nothing_to_do_is_no_news_at_first_and_news_after_some(
    house: House, first: Hook
) -> None:
    house.forge.files["acme/shop"]["Dockerfile"] = b"FROM scratch\n"
    notifier(house, first).tell(notices.of_cycle(house.run().result))
    assert first.got == []


def test_a_blocked_update_is_in_the_summary_or_told_alone(house: House, first: Hook, second: Hook) -> None:
    assert house.builder is not None
    old = house.forge.files["acme/shop"]["Dockerfile"].decode()
    house.forge.files["acme/shop"]["Dockerfile"] = old.replace("CMD true", "CMD false").encode()
    told = notices.of_cycle(house.run().result)
    blocked = Notice(NoticeKind.BLOCKED, "shop", "sha256:new", "Blocked: debian in shop", ("unhealthy",))

    notifier(house, first).tell([*told, blocked])
    notifier(house, second, about=(NoticeKind.BLOCKED,)).tell([*told, blocked])

    assert len(first.got) == 1
    assert "Blocked: debian in shop" in second.titles()
    notifier(house, first).tell([blocked])
    assert len(first.got) == 1


def test_each_destination_is_told_once_and_one_that_is_down_is_told_later(
    house: House, first: Hook, second: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    second.down = True
    teller = notifier(house, first, second)
    teller.tell([CRITICAL])
    second.down = False
    teller.deliver()
    assert second.got == [], "it is not asked again at once"
    house.clock.moment += timedelta(seconds=6)
    for _ in range(3):
        notifier(house, first, second).deliver()  # each time another process
    teller.tell([CRITICAL])

    assert (len(first.got), len(second.got)) == (1, 1)
    assert "destination 2 did not take it" in caplog.text
    assert "secret-path" not in caplog.text


def test_the_summary_of_a_cycle_that_was_refused_arrives_later_and_once(house: House, first: Hook) -> None:
    first.down = True
    run_cycle(house.parts(), told=News(notifier(house, first)).cycle)
    assert [cycle.state for cycle in house.store.cycles()] == [CycleState.DONE]
    first.down = False

    later(house, 4, first)

    assert first.titles() == ["Refit monthly-2026-11: 1 pull request"]


def test_what_an_old_address_did_not_take_goes_to_the_new_one(
    house: House, first: Hook, second: Hook
) -> None:
    with hook() as gone:
        gone.down = True
        notifier(house, first, gone).tell([CRITICAL])
        notifier(house, first, second).deliver(given_up=True)  # the operator has put another one there

        assert (len(first.got), gone.got, len(second.got)) == (1, [], 1)


def test_what_changed_meanwhile_is_told_as_it_is_now(house: House, first: Hook) -> None:
    first.down = True
    teller = notifier(house, first)
    teller.tell([CRITICAL, replace(CRITICAL, key="withdrawn meanwhile")])
    teller.tell([replace(CRITICAL, state="fixed", title="It is fixed")])
    teller.over(CRITICAL.kind, "withdrawn meanwhile")
    first.down = False

    later(house, 1, first)

    assert first.titles() == ["It is fixed"]


def later(house: House, hours: int, *hooks: Hook) -> None:
    """So much time passes, with a look every few minutes."""
    teller = notifier(house, *hooks)
    for _ in range(hours * 12):
        house.clock.moment += timedelta(minutes=5)
        teller.deliver()


def test_many_at_once_tell_it_once(house: House, first: Hook) -> None:
    teller = notifier(house, first)
    threads = [threading.Thread(target=teller.tell, args=([CRITICAL],)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(first.got) == 1


def test_a_failure_is_told_once_until_it_is_over(house: House, first: Hook) -> None:
    teller = notifier(house, first)
    failure = notices.failure("monthly", "the store cannot be used", "Check the disk.")
    teller.tell([failure])
    teller.tell([failure])
    assert len(first.got) == 1
    assert first.got[0]["message"] == "the store cannot be used\nCheck the disk."

    teller.over(NoticeKind.FAILURE, "monthly")
    teller.tell([failure])
    assert len(first.got) == 2


def test_only_what_is_asked_for_is_told(house: House, first: Hook) -> None:
    notifier(house, first, about=(NoticeKind.FAILURE,)).tell([CRITICAL])

    assert first.got == []


def test_what_others_write_mentions_nobody_and_breaks_no_line(house: House, first: Hook) -> None:
    evil = Notice(
        NoticeKind.CRITICAL,
        "k",
        "s",
        "@channel\nCVE",
        ("one\ntwo\u202e <!here> @all https://github.com/a/b/pull/1",),
    )
    notifier(house, first).tell([evil])

    assert "@channel" not in first.got[0]["title"]
    assert first.got[0]["message"] == "one two (!here) \uff20all https://github.com/a/b/pull/1"


def test_a_url_that_apprise_does_not_know_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="number 2 is no URL") as caught:
        usable_urls(["json://127.0.0.1/x", "nonsense-with-a-secret"])

    assert "nonsense" not in caught.value.message


def test_a_cycle_is_told_before_it_counts_as_done_and_not_again_when_it_is_gone_on_with(
    house: House, first: Hook
) -> None:
    teller = notifier(house, first)

    class Dying(Exception):
        """The process ends right after the telling."""

    def told(result: RunResult) -> None:
        teller.tell(notices.of_cycle(result))
        raise Dying

    with pytest.raises(Dying):
        run_cycle(house.parts(), told=told)
    assert [cycle.state for cycle in house.store.cycles()] == [CycleState.RUNNING]
    run_cycle(house.parts(), told=News(teller).cycle)

    assert [cycle.state for cycle in house.store.cycles()] == [CycleState.DONE]
    assert first.titles() == ["Refit monthly-2026-11: 1 pull request"]


def test_what_was_withdrawn_and_comes_back_is_told_again(house: House, first: Hook) -> None:
    teller = notifier(house, first)
    teller.tell([CRITICAL])
    teller.over(CRITICAL.kind, CRITICAL.key)
    teller.tell([CRITICAL])
    assert len(first.got) == 2


def test_the_worker_tells_a_cycle_and_a_failure_and_when_it_is_over(house: House, first: Hook) -> None:
    down = [True]

    @contextmanager
    def parts(_: str) -> Iterator[Parts]:
        if down[0]:
            raise ForgeUnavailable("the forge does not answer", hint="Try later.")
        yield house.parts()

    worker = Worker(parts, news=News(notifier(house, first)))
    task = Task("monthly", {"period": "monthly-2026-11"})
    worker(task)
    worker(task)
    down[0] = False
    worker(task)

    assert first.titles() == [
        "Refit could not do its work: monthly",
        "Refit monthly-2026-11: 1 pull request",
    ]
