"""Sixty months in minutes, with kills: no period missed, none doubled, memory and open files flat."""

from __future__ import annotations

import random
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import process
from tests.e2e.soak import BEGIN, MONTHS

pytestmark = [pytest.mark.long, pytest.mark.timeout(3000)]

ROOT = Path(__file__).parents[2]
KILLS = 12
SEED = 20261125
GROWTH = 1.10  # of resident memory, between the second tenth of the last life and its end


def test_sixty_months_with_kills_miss_nothing_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - moments, no secrets
    for _ in range(KILLS):
        with life(tmp_path) as one:
            lived(one, tmp_path, chance.randint(5, 60))
            time.sleep(chance.uniform(0, 0.1))
            one.send_signal(signal.SIGKILL)
    with life(tmp_path) as last:
        assert last.wait(2400) == 0

    # A second attempt would have a name of its own: `monthly-2026-11.2`.
    names = set((tmp_path / "done").read_text().split())
    assert states(tmp_path) == {"done"}
    assert not {name for name in names if "." in name}
    assert {name for name in names if name.startswith("monthly-")} == {"monthly-2025-12", *months()}
    for job in ("observe", "sboms", "cleanup"):
        assert {name for name in names if name.startswith(f"{job}-")} >= set(days(job))
    assert len([name for name in names if name.startswith("quarterly-")]) >= MONTHS // 3
    told_once(tmp_path)
    flat(tmp_path)


def life(folder: Path) -> subprocess.Popen[bytes]:
    """A process that lives on from where the last one was killed."""
    env = process.environment(PYTHONPATH=str(ROOT))
    return subprocess.Popen([sys.executable, "-m", "tests.e2e.soak", str(folder)], cwd=ROOT, env=env)


def lived(one: subprocess.Popen[bytes], folder: Path, days: int) -> None:
    """Wait until so many more days are over: a fast machine lives through more of them in a second."""
    lives = folder / "lives"

    def over() -> int:
        return lives.read_bytes().count(b"\n") if lives.exists() else 0

    until = over() + days
    while over() < until:
        assert one.poll() is None
        time.sleep(0.01)


def states(folder: Path) -> set[str]:
    """Of what the store still holds."""
    with closing(sqlite3.connect(folder / "state" / "refit.sqlite3")) as store:
        return {state for (state,) in store.execute("select state from cycles")}


def months() -> list[str]:
    return [f"monthly-{BEGIN.year + number // 12}-{number % 12 + 1:02}" for number in range(MONTHS)]


def days(job: str) -> list[str]:
    begin, end = date(BEGIN.year, 1, 2), date(BEGIN.year + MONTHS // 12, 1, 1)
    return [f"{job}-{begin + timedelta(days=number)}" for number in range((end - begin).days - 1)]


def told_once(folder: Path) -> None:
    """Each vulnerability that became known; what a life died in the middle of telling may come twice."""
    told = (folder / "told").read_text(encoding="utf-8").splitlines()
    times = Counter(re.findall(r"CVE-\d+-\d", "\n".join(sorted(told))))
    quarters = [BEGIN.year * 4 + number for number in range(1, MONTHS // 3)]
    assert set(times) == {f"CVE-{one // 4}-{one % 4 + 1}" for one in quarters}
    assert len(told) - len(set(told)) <= KILLS


def flat(folder: Path) -> None:
    """Of the last life: memory once it had warmed up, and at its end; open files throughout; and the store.

    The store keeps measurements for three years, so it is the same after four as after five.
    """
    told = [line.split() for line in (folder / "lives").read_text(encoding="ascii").splitlines()]
    sizes = [int(size) for *_, size in told]
    assert sizes[-1] <= GROWTH * sizes[-365]
    last = [(int(memory), int(files)) for _, memory, files, _ in told[-400:]]
    early, late = [memory for memory, _ in last[40:80]], [memory for memory, _ in last[-40:]]
    assert statistics.median(late) <= GROWTH * statistics.median(early)
    files = [number for _, number in last]
    assert max(files) - min(files) <= 2
