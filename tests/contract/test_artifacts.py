"""What every place for artifacts owes: a folder, and an object store."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
from fsspec import get_filesystem_class

from bot.artifacts import ArtifactShelf, open_shelf
from bot.errors import StoreError
from bot.model.artifact import ArtifactKind
from bot.ports import Artifacts
from deploy.lab.ports import free_port
from tests.object_store import PACKAGES, SECRET, ObjectStore

SBOM, DATA = ArtifactKind.SBOM, b'{"bomFormat": "CycloneDX"}'
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
ROOT = Path(__file__).parents[2]
NOWHERE = "sha256:" + "0" * 64


@pytest.fixture
def bucket(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of a server that speaks S3; who comes is in the environment, and nowhere else."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    get_filesystem_class("s3").clear_instance_cache()
    name = f"refit-{uuid.uuid4().hex}"
    s3.bucket(name)
    return name


@pytest.fixture(params=["folder", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactShelf:
    """A folder, fsspec's own object store in memory, and S3."""
    if request.param == "folder":
        return open_shelf(str(tmp_path / "artifacts"))
    if request.param == "memory":
        return open_shelf(f"memory://{uuid.uuid4().hex}/refit")
    return open_shelf(f"s3://{request.getfixturevalue('bucket')}/refit")


def test_a_document_comes_back_by_its_digest(shelf: Artifacts) -> None:
    artifact = shelf.put(SBOM, DATA)
    assert (artifact.kind, artifact.digest, artifact.size) == (SBOM, DIGEST, len(DATA))
    assert shelf.get(artifact.digest) == DATA


def test_the_same_bytes_are_kept_once(shelf: Artifacts) -> None:
    assert shelf.put(SBOM, DATA) == shelf.put(SBOM, DATA)
    assert [(one.digest, one.size) for one in shelf.kept()] == [(DIGEST, len(DATA))]


def test_what_is_kept_knows_when_it_was_written(shelf: Artifacts) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)  # S3 knows no parts of seconds
    shelf.put(SBOM, DATA)
    (one,) = shelf.kept()
    assert before <= one.written <= datetime.now(UTC)


def test_a_removed_document_is_gone_and_may_be_removed_again(shelf: Artifacts) -> None:
    shelf.put(SBOM, DATA)
    shelf.remove(DIGEST)
    shelf.remove(DIGEST)
    assert not shelf.has(DIGEST)
    assert list(shelf.kept()) == []
    with pytest.raises(StoreError, match=DIGEST):
        shelf.get(DIGEST)


def test_nothing_is_kept_at_first(shelf: Artifacts) -> None:
    assert list(shelf.kept()) == []
    assert not shelf.has(NOWHERE)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "x" * 5000]
)
def test_what_is_no_digest_reaches_no_file(shelf: Artifacts, digest: str) -> None:
    with pytest.raises(StoreError, match="not a digest"):
        shelf.get(digest)


def test_many_threads_keep_the_same_document_at_once(shelf: Artifacts) -> None:
    failures: list[BaseException] = []

    def keep() -> None:
        try:
            shelf.put(SBOM, DATA)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=keep) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert shelf.get(DIGEST) == DATA


def test_a_document_that_is_kept_again_is_as_good_as_new(shelf: Artifacts) -> None:
    """Else the clean-up would take from a new proof what an old one had kept already."""
    shelf.put(SBOM, DATA)
    (first,) = shelf.kept()
    time.sleep(1.1)  # S3 knows no parts of seconds
    shelf.put(SBOM, DATA)
    (again,) = shelf.kept()
    assert again.written > first.written


def test_a_place_is_tried_by_writing_and_nothing_is_left_of_it(shelf: ArtifactShelf) -> None:
    shelf.probe()
    shelf.tidy(datetime.now(UTC))
    assert list(shelf.kept()) == []


def test_what_was_half_written_is_removed_and_what_is_kept_stays(tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "artifacts"))
    shelf.put(SBOM, DATA)
    half = tmp_path / "artifacts" / "incoming" / uuid.uuid4().hex
    half.write_bytes(DATA[:5])
    shelf.tidy(datetime.now(UTC) - timedelta(hours=1))
    assert half.exists()
    shelf.tidy(datetime.now(UTC) + timedelta(hours=1))
    assert not half.exists()
    assert shelf.get(DIGEST) == DATA


def test_what_another_machine_removed_from_s3_is_seen_at_once_and_kept_again(bucket: str) -> None:
    here = open_shelf(f"s3://{bucket}/refit")
    here.put(SBOM, DATA)
    assert [one.digest for one in here.kept()] == [DIGEST]
    in_another_process("for one in shelf.kept(): shelf.remove(one.digest)", f"s3://{bucket}/refit")
    assert not here.has(DIGEST)
    here.put(SBOM, DATA)
    assert here.get(DIGEST) == DATA


def test_a_bucket_that_is_not_there_is_told_and_never_made(bucket: str, s3: ObjectStore) -> None:
    missing = f"{bucket}-of-nobody"
    with pytest.raises(StoreError, match="bucket does not exist"):
        open_shelf(f"s3://{missing}/refit").probe()
    assert httpx.head(f"{s3.url}/{missing}", timeout=30).status_code == 404


def test_without_a_login_in_the_environment_s3_is_refused_with_a_way_out(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))  # and none in a file
    shelf = open_shelf(f"s3://{bucket}/refit")
    for ask in (shelf.probe, lambda: shelf.has(DIGEST), lambda: list(shelf.kept())):
        with pytest.raises(StoreError, match="credentials") as raised:
            ask()
        assert "environment" in raised.value.hint


def test_an_s3_server_that_does_not_answer_is_an_expected_failure(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreError, match="Could not connect"):
        open_shelf(f"s3://{bucket}/refit").has(DIGEST)


def test_the_login_of_s3_reaches_no_log_and_no_message(bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    open_shelf(f"s3://{bucket}/refit").put(SBOM, DATA)
    with pytest.raises(StoreError) as raised:
        open_shelf(f"s3://{bucket}-of-nobody/refit").put(SBOM, DATA)
    assert caplog.records
    assert SECRET not in caplog.text + raised.value.message + raised.value.hint


def test_where_nothing_speaks_s3_it_is_said_what_to_install() -> None:
    said = in_another_process("", "s3://bucket/refit", packages=False)
    assert "what speaks s3 is not installed" in said
    assert "pip install 'refit[s3]'" in said


def in_another_process(code: str, location: str, *, packages: bool = True) -> str:
    """Do something with a shelf in a process of its own; what it says where that fails."""
    lines = (
        "from bot.artifacts import open_shelf",
        "from bot.errors import StoreError",
        f"try: shelf = open_shelf({location!r})",
        "except StoreError as error: raise SystemExit(error.message + error.hint)",
        code,
    )
    path = os.pathsep.join([str(ROOT), *([str(PACKAGES)] if packages else [])])
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env=dict(os.environ) | {"PYTHONPATH": path},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert packages is (ended.returncode == 0), ended.stderr.decode()
    return ended.stderr.decode()


def test_a_damaged_document_is_refused(tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "artifacts"))
    shelf.put(SBOM, DATA)
    (file,) = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    file.write_bytes(DATA[:10])
    with pytest.raises(StoreError, match="damaged"):
        shelf.get(DIGEST)


def test_a_link_leads_to_the_digest(tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "artifacts"), "https://refit.example.com/artifacts/{digest}")
    assert shelf.put(SBOM, DATA).url == f"https://refit.example.com/artifacts/{DIGEST}"


def test_the_folder_is_private_to_its_owner(tmp_path: Path) -> None:
    open_shelf(str(tmp_path / "artifacts"))
    assert (tmp_path / "artifacts").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("location", ["nonsense://x", "/proc/refit"])
def test_a_place_that_cannot_be_had_is_refused_with_a_way_out(location: str) -> None:
    with pytest.raises(StoreError, match="artifacts cannot be kept") as raised:
        open_shelf(location).put(SBOM, DATA)
    assert "artifacts.location" in raised.value.hint
