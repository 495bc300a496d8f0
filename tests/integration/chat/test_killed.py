"""`kill -9` at every moment of the daily rescan: what became known is told all the same, and once."""

from __future__ import annotations

import itertools
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from bot.model.run import CycleState
from bot.store.sql import open_store, sqlite_url
from tests.integration.chat.hooks import hook
from tests.integration.chat.mortal import SECOND, a_week_later, first_day, second_day

TITLE = "New critical vulnerability in acme/shop#shop: CVE-2026-1"


def ended(work: Callable[..., None], *args: object) -> int:
    """Do something in a process of its own; gives its exit code."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([second_day.__module__])  # what they need is imported once
    process = processes.Process(target=work, args=args)
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def told_over_two_lives(folder: Path, moment: int) -> list[str] | None:
    """What arrives where the first life ends at a moment; None where it ends before that by itself."""
    with hook() as made:
        first = ended(second_day, folder, made.page, moment)
        assert first in {0, -signal.SIGKILL}
        assert ended(second_day, folder, made.page, None) == 0
        return None if first == 0 else made.titles()


def test_what_became_known_is_told_once_whenever_the_process_is_killed(tmp_path: Path) -> None:
    assert ended(first_day, tmp_path / "first") == 0
    told: list[list[str]] = []
    for moment in itertools.count():
        folder = shutil.copytree(tmp_path / "first", tmp_path / str(moment))
        arrived = told_over_two_lives(folder, moment)
        assert is_done(folder)
        if arrived is None:
            break
        told.append(arrived)

    assert len(told) > 5
    # Between the destination's answer and our note of it nobody can know: that one moment tells it twice.
    assert sorted(told) == [[TITLE]] * (len(told) - 1) + [[TITLE, TITLE]]


def is_done(folder: Path) -> bool:
    store = open_store(sqlite_url(folder / "state"))
    states = {cycle.name: cycle.state for cycle in store.cycles()}
    store.close()
    return states[SECOND] is CycleState.DONE


def test_a_destination_that_is_down_all_day_is_told_when_it_is_up(tmp_path: Path) -> None:
    assert ended(first_day, tmp_path) == 0
    with hook() as made:
        made.down = True
        assert ended(second_day, tmp_path, made.page, None) == 0
        assert is_done(tmp_path)
        assert made.titles() == []
        made.down = False
        assert ended(a_week_later, tmp_path, made.page) == 0
        assert made.titles() == [TITLE]
