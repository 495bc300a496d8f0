"""What ends a build while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.builder.watch import Watch

ANON = "anon 3000000000\nfile 9000000000\nshmem 1000000000\n"
RSS = "cache 9000000000\nrss 1\nrss_huge 5\ntotal_rss 3000000000\ntotal_shmem 1000000000\n"


def group(folder: Path, stat: str) -> Path:
    (folder / "step").mkdir(parents=True)
    (folder / "step" / "memory.stat").write_text(stat)
    return folder


@pytest.mark.parametrize("stat", [ANON, RSS], ids=["cgroup v2", "cgroup v1"])
def test_a_step_that_uses_too_much_memory_is_told_with_both_numbers(tmp_path: Path, stat: str) -> None:
    groups = [group(tmp_path / "a", stat), tmp_path / "nowhere"]
    watch = Watch(3_900_000_000, 0, None, groups)
    assert watch.trouble() == "a step used 4.0 GB of memory, more than the 3.9 GB it may use (builder.memory)"
    assert (watch.memory_exceeded, watch.disk_full) == (True, False)
    assert Watch(4_000_000_000, 0, None, groups).trouble() == ""
    assert Watch(None, 0, None, groups).trouble() == ""


def test_a_disk_that_runs_full_is_told_before_it_is(tmp_path: Path) -> None:
    watch = Watch(None, 10**18, tmp_path, [])
    assert "left, and 1000000000.0 GB must stay free (builder.min_free)" in watch.trouble()
    assert watch.disk_full
    assert Watch(None, 1, tmp_path, []).trouble() == ""


def test_what_cannot_be_seen_from_here_ends_nothing(tmp_path: Path) -> None:
    assert Watch(1, 10**18, None, [tmp_path / "nowhere"]).trouble() == ""
    assert Watch(1, 10**18, tmp_path / "gone", [group(tmp_path / "a", "broken\nanon x\n")]).trouble() == ""
