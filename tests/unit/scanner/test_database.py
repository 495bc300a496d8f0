"""The database snapshot of a cycle."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import ProcessFailed, ScanError
from bot.scanner.database import DatabaseSettings, Snapshot, take_snapshot
from bot.scanner.hold import Hold, remove_unheld

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def database(cache: Path, content: bytes = b"bolt", *, days_old: float = 1) -> Path:
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivy.db").write_bytes(content)
    updated = (NOW - timedelta(days=days_old)).isoformat()
    (folder / "metadata.json").write_text(json.dumps({"Version": 2, "UpdatedAt": updated}))
    return cache


def no_download(_: str, __: Path) -> None:
    raise AssertionError("an offline scanner must not download")


def refused(_: str, __: Path) -> None:
    raise ProcessFailed("trivy ended with exit code 1: 429 Too Many Requests")


def snapshot(cache: Path, folder: Path) -> Snapshot:
    return take_snapshot(DatabaseSettings(cache, offline=True), folder, no_download, NOW)


def test_a_snapshot_has_the_digest_date_and_version_of_the_database(tmp_path: Path) -> None:
    taken = snapshot(database(tmp_path / "cache"), tmp_path / "state").database
    assert taken.digest == "sha256:" + hashlib.sha256(b"bolt").hexdigest()
    assert (taken.updated_at, taken.version) == (NOW - timedelta(days=1), 2)


def test_a_snapshot_stays_as_it_is_while_the_database_moves_on(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache")
    taken = snapshot(cache, tmp_path / "state")
    with (cache / "db" / "trivy.db").open("r+b") as file:
        file.write(b"moved on")
    assert (taken.folder / "trivy.db").read_bytes() == b"bolt"


def test_a_database_beside_which_nothing_can_be_written_serves_all_the_same(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache")
    (cache / "db-digest.json" / "taken").mkdir(parents=True)  # as in a folder that is mounted read-only

    taken = snapshot(cache, tmp_path / "state").database

    assert taken.digest == "sha256:" + hashlib.sha256(b"bolt").hexdigest()


def test_only_the_two_newest_snapshots_are_kept(tmp_path: Path) -> None:
    for content in (b"one", b"two", b"three", b"four"):
        last = snapshot(database(tmp_path / "cache", content), tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == 2
    assert (last.folder / "trivy.db").read_bytes() == b"four"


def test_a_snapshot_that_a_scan_still_uses_is_not_removed(tmp_path: Path) -> None:
    used = snapshot(database(tmp_path / "cache", b"used"), tmp_path / "state")
    for content in (b"one", b"two", b"three"):
        snapshot(database(tmp_path / "cache", content), tmp_path / "state")
    assert (used.folder / "trivy.db").read_bytes() == b"used"
    del used
    snapshot(database(tmp_path / "cache", b"four"), tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_a_database_that_is_not_due_is_not_asked_for(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache")
    dates = {
        "UpdatedAt": NOW - timedelta(days=1),
        "NextUpdate": NOW + timedelta(hours=1),
        "DownloadedAt": NOW,
    }
    written = {name: moment.isoformat() for name, moment in dates.items()}
    (cache / "db" / "metadata.json").write_text(json.dumps({"Version": 2, **written}))
    assert take_snapshot(DatabaseSettings(cache), tmp_path / "state", no_download, NOW).database.note == ""


def test_a_database_that_changed_gets_another_digest_though_the_old_one_was_remembered(
    tmp_path: Path,
) -> None:
    first = snapshot(database(tmp_path / "cache", b"one"), tmp_path / "state")
    again = snapshot(tmp_path / "cache", tmp_path / "state")
    second = snapshot(database(tmp_path / "cache", b"another"), tmp_path / "state")
    assert first.database.digest == again.database.digest != second.database.digest


def test_an_old_database_stops_every_scan(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache", days_old=9.5)
    with pytest.raises(ScanError) as raised:
        snapshot(cache, tmp_path / "state")
    assert raised.value.message == "the vulnerability database is 9 days old, more than the 7 allowed"
    assert "db/" in raised.value.hint


def test_a_failed_update_is_said_and_the_database_that_is_there_serves_within_its_age(tmp_path: Path) -> None:
    settings = DatabaseSettings(database(tmp_path / "cache", days_old=6), ("mirror.example/db:2",))
    taken = take_snapshot(settings, tmp_path / "state", refused, NOW)
    assert "could not be updated from mirror.example/db:2" in taken.database.note
    assert "429" in taken.database.note


def test_where_the_first_mirror_fails_the_next_one_gives_the_database(tmp_path: Path) -> None:
    def second_only(repository: str, cache: Path) -> None:
        if repository != "two.example/db:2":
            raise ProcessFailed("trivy ended with exit code 1: 503 Service Unavailable")
        database(cache, b"fresh", days_old=0)

    settings = DatabaseSettings(database(tmp_path / "cache"), ("one.example/db:2", "two.example/db:2"))
    taken = take_snapshot(settings, tmp_path / "state", second_only, NOW)
    assert (taken.folder / "trivy.db").read_bytes() == b"fresh"
    assert taken.database.note == ""


def test_where_every_mirror_fails_each_is_named(tmp_path: Path) -> None:
    settings = DatabaseSettings(database(tmp_path / "cache"), ("one.example/db:2", "two.example/db:2"))
    note = take_snapshot(settings, tmp_path / "state", refused, NOW).database.note
    assert note.count("429") == 2
    assert "nor from two.example/db:2" in note


def test_a_download_that_breaks_off_leaves_the_database_that_was_there(tmp_path: Path) -> None:
    def breaks_off(_: str, cache: Path) -> None:
        (cache / "db" / "metadata.json").unlink()
        (cache / "db" / "trivy.db").write_bytes(b"hal")
        raise ProcessFailed("trivy ended with exit code 1: unexpected EOF")

    cache = database(tmp_path / "cache")
    taken = take_snapshot(DatabaseSettings(cache), tmp_path / "state", breaks_off, NOW)
    assert (taken.folder / "trivy.db").read_bytes() == b"bolt"
    assert [path.name for path in cache.iterdir() if path.name.startswith("incoming")] == []


def test_a_failed_update_of_an_old_database_stops_the_scan_and_says_both(tmp_path: Path) -> None:
    settings = DatabaseSettings(database(tmp_path / "cache", days_old=8))
    with pytest.raises(
        ScanError, match=r"8 days old, more than the 7 allowed; .*could not be updated"
    ) as raised:
        take_snapshot(settings, tmp_path / "state", refused, NOW)
    assert "mirror" in raised.value.hint


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        b"",
        b"{}",
        b"[]",
        b'{"Version": 2, "UpdatedAt": "soon"}',
        b'{"Version": "x", "UpdatedAt": "2026-11-24"}',
    ],
    ids=["missing", "empty", "without values", "a list", "no date", "no version"],
)
def test_without_a_readable_database_there_is_no_scan(tmp_path: Path, metadata: bytes | None) -> None:
    cache = database(tmp_path / "cache")
    path = cache / "db" / "metadata.json"
    path.unlink() if metadata is None else path.write_bytes(metadata)
    with pytest.raises(ScanError, match="there is no vulnerability database"):
        snapshot(cache, tmp_path / "state")


def test_a_database_file_that_is_gone_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache")
    (cache / "db" / "trivy.db").unlink()
    with pytest.raises(ScanError, match="cannot read the vulnerability database") as raised:
        snapshot(cache, tmp_path / "state")
    assert raised.value.hint


def test_processes_that_copy_at_the_same_time_leave_each_others_copies_alone(tmp_path: Path) -> None:
    caches = [database(tmp_path / f"cache{number}", bytes([number]) * 20_000_000) for number in range(6)]

    with ThreadPoolExecutor(len(caches)) as pool:
        taken = list(pool.map(lambda cache: snapshot(cache, tmp_path / "state"), caches))

    assert [(one.folder / "trivy.db").read_bytes()[:1] for one in taken] == [bytes([n]) for n in range(6)]


def test_a_digest_that_was_remembered_of_other_bytes_is_found_out(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache", b"one")
    snapshot(cache, tmp_path / "state")
    before = (cache / "db" / "trivy.db").stat()
    (cache / "db" / "trivy.db").write_bytes(b"two")
    os.utime(cache / "db" / "trivy.db", ns=(before.st_atime_ns, before.st_mtime_ns))

    taken = snapshot(cache, tmp_path / "elsewhere")

    assert taken.database.digest == "sha256:" + hashlib.sha256(b"two").hexdigest()
    assert (taken.folder / "trivy.db").read_bytes() == b"two"


CLEANS = """
import sys
from pathlib import Path
from bot.scanner.hold import remove_unheld
print("cleaning", flush=True)
while True:
    for one in Path(sys.argv[1]).iterdir():
        remove_unheld(one)
"""


def test_who_cleans_up_takes_no_copy_that_has_just_been_begun(tmp_path: Path) -> None:
    cache, state = database(tmp_path / "cache"), tmp_path / "state"
    state.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", CLEANS, state], cwd=ROOT, stdout=subprocess.PIPE
    ) as cleaning:
        try:
            assert cleaning.stdout is not None
            assert cleaning.stdout.readline() == b"cleaning\n"
            taken = [snapshot(database(cache, b"%d" % number), state) for number in range(300)]
        finally:
            cleaning.kill()

    assert [(one.folder / "trivy.db").read_bytes() for one in taken] == [b"%d" % n for n in range(300)]


def test_what_is_held_stays_until_it_is_released(tmp_path: Path) -> None:
    taken = snapshot(database(tmp_path / "cache"), tmp_path / "state")

    remove_unheld(taken.folder)
    assert (taken.folder / "trivy.db").exists()
    taken.hold.release()
    taken.hold.release()
    remove_unheld(taken.folder)
    assert not taken.folder.exists()


def test_a_copy_that_finds_no_room_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(ScanError, match="the vulnerability database cannot be copied to") as raised:
        snapshot(database(tmp_path / "cache"), tmp_path / "state")

    assert "Free space" in raised.value.hint


def test_a_download_that_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    cache = database(tmp_path / "cache")
    left, other = cache / "incoming-left", cache / "incoming-other"
    for folder in (left, other):
        folder.mkdir()
    held = Hold(other)

    def fetched(_: str, into: Path) -> None:
        database(into)

    take_snapshot(DatabaseSettings(cache), tmp_path / "state", fetched, NOW)

    assert not left.exists()
    assert held.is_of(other), "somebody downloads into it"
