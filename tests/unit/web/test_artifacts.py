"""Kept documents are opened by their digest, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bot.artifacts import open_shelf
from bot.model.artifact import ArtifactKind
from bot.web.app import web_app
from bot.web.artifacts import artifacts_route

DATA = b'{"bomFormat": "CycloneDX"}'


def opened(folder: Path) -> tuple[TestClient, str]:
    shelf = open_shelf(str(folder / "artifacts"))
    digest = shelf.put(ArtifactKind.SBOM, DATA).digest
    return TestClient(web_app({}, [artifacts_route(shelf)])), digest


def test_a_document_is_given_by_its_digest_to_be_saved(tmp_path: Path) -> None:
    client, digest = opened(tmp_path)
    answer = client.get(f"/artifacts/{digest}")
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_cannot_be_read_now_is_not_said_to_be_gone(tmp_path: Path) -> None:
    client, digest = opened(tmp_path)
    (file,) = [path for path in (tmp_path / "artifacts" / "sha256").rglob("*") if path.is_file()]
    file.write_bytes(DATA[:5])
    answer = client.get(f"/artifacts/{digest}")
    assert (answer.status_code, answer.text) == (503, "It cannot be read now; the log of Refit says why.\n")


@pytest.mark.parametrize(
    "digest", ["sha256:" + "0" * 64, "nonsense", "..%2F..%2Fetc%2Fpasswd", "sha256:%2e%2e", "%00"]
)
def test_anything_else_is_not_there(tmp_path: Path, digest: str) -> None:
    client, _ = opened(tmp_path)
    assert client.get(f"/artifacts/{digest}").status_code == 404
