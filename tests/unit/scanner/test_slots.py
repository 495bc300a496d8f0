"""A cache folder for each running scan."""

from __future__ import annotations

import os
from pathlib import Path

from bot.scanner.slots import slot


def test_scans_at_the_same_time_have_different_caches_and_a_free_one_is_used_again(tmp_path: Path) -> None:
    with slot(tmp_path, None) as first, slot(tmp_path, None) as second:
        assert first.cache != second.cache
    with slot(tmp_path, None) as third:
        assert third.cache == first.cache


def test_the_work_folder_is_gone_afterwards_and_the_cache_stays(tmp_path: Path) -> None:
    with slot(tmp_path, None) as taken:
        taken.report.write_text("{}")
        (taken.cache / "fanal").mkdir()
    assert not taken.work.exists()
    assert (taken.cache / "fanal").is_dir()


def test_what_a_killed_scan_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "0-killed"
    left.mkdir(parents=True)
    with slot(tmp_path, None):
        assert not left.exists()


def test_the_database_of_a_slot_is_that_of_the_scan(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with slot(tmp_path / "slots", tmp_path / name) as taken:
            assert (taken.cache / "db").resolve() == tmp_path / name


def test_what_is_known_of_layers_does_not_grow_for_ever(tmp_path: Path) -> None:
    def known(size: int) -> bool:
        with slot(tmp_path, None) as taken:
            file = taken.cache / "fanal" / "fanal.db"
            file.parent.mkdir(exist_ok=True)
            file.touch()
            os.truncate(file, size)
        with slot(tmp_path, None) as again:
            return (again.cache / "fanal" / "fanal.db").exists()

    assert known(2**20)
    assert not known(2**30)
