"""What every place for artifacts owes: a folder, and an object store."""

from __future__ import annotations

import hashlib
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.artifacts import ArtifactShelf, open_shelf
from bot.errors import StoreError
from bot.model.artifact import ArtifactKind
from bot.ports import Artifacts

SBOM, DATA = ArtifactKind.SBOM, b'{"bomFormat": "CycloneDX"}'
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
NOWHERE = "sha256:" + "0" * 64


@pytest.fixture(params=["folder", "object store"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactShelf:
    """A folder; and fsspec's own object store in memory, for S3 is none that could be had here."""
    if request.param == "folder":
        return open_shelf(str(tmp_path / "artifacts"))
    return open_shelf(f"memory://{uuid.uuid4().hex}/refit")


def test_a_document_comes_back_by_its_digest(shelf: Artifacts) -> None:
    artifact = shelf.put(SBOM, DATA)
    assert (artifact.kind, artifact.digest, artifact.size) == (SBOM, DIGEST, len(DATA))
    assert shelf.get(artifact.digest) == DATA


def test_the_same_bytes_are_kept_once(shelf: Artifacts) -> None:
    assert shelf.put(SBOM, DATA) == shelf.put(SBOM, DATA)
    assert [(one.digest, one.size) for one in shelf.kept()] == [(DIGEST, len(DATA))]


def test_what_is_kept_knows_when_it_was_written(shelf: Artifacts) -> None:
    shelf.put(SBOM, DATA)
    (one,) = shelf.kept()
    assert abs(one.written - datetime.now(UTC)) < timedelta(minutes=1)


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


@pytest.mark.parametrize("location", ["s3://bucket/refit", "nonsense://x", "/proc/refit"])
def test_a_place_that_cannot_be_had_is_refused_with_a_way_out(location: str) -> None:
    with pytest.raises(StoreError, match="artifacts cannot be kept") as raised:
        open_shelf(location).put(SBOM, DATA)
    assert "artifacts.location" in raised.value.hint
