"""Saved images: an OCI layout as a folder or a tar, with one image or several."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bot.builder import is_archive, open_archive
from bot.errors import EngineError
from bot.model.manifest import Platform
from tests.unit.builder.layers import layer_tar

LINUX, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
ROOT, APP = layer_tar({"etc/os-release": b"debian"}), layer_tar({"app": 4000})


def put(folder: Path, data: bytes) -> dict[str, Any]:
    """Store a blob and describe it."""
    digest = hashlib.sha256(data).hexdigest()
    place = folder / "blobs" / "sha256"
    place.mkdir(parents=True, exist_ok=True)
    (place / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def image(folder: Path, *layers: bytes) -> dict[str, Any]:
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = put(folder, json.dumps({"rootfs": {"diff_ids": ids}, "history": []}).encode())
    packed = [put(folder, gzip.compress(layer)) for layer in layers]
    return put(folder, json.dumps({"config": config, "layers": packed}).encode())


def layout(folder: Path) -> Path:
    """A layout with an image of two layers for amd64, and one of one layer for arm64, in a nested index."""
    entries = [
        image(folder, ROOT) | {"platform": {"os": "linux", "architecture": "arm64"}},
        image(folder, ROOT, APP) | {"platform": {"os": "linux", "architecture": "amd64"}},
    ]
    nested = put(folder, json.dumps({"manifests": entries}).encode())
    (folder / "index.json").write_text(json.dumps({"manifests": [nested]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def test_the_image_for_the_platform_is_read_from_a_layout(tmp_path: Path) -> None:
    folder = layout(tmp_path / "layout")
    assert is_archive(folder)
    place, found = open_archive(folder, LINUX, tmp_path)
    assert place == folder
    assert [layer.size for layer in found.layers] == [len(ROOT), len(APP)]
    assert len(open_archive(folder, ARM, tmp_path)[1].layers) == 1


def test_a_layout_in_a_tar_is_unpacked_for_the_scanner(tmp_path: Path) -> None:
    folder, packed = layout(tmp_path / "layout"), tmp_path / "layout.tar"
    with tarfile.open(packed, "w") as tar:
        for name in ("oci-layout", "index.json", "blobs"):
            tar.add(folder / name, name)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert is_archive(packed)
    place, found = open_archive(packed, LINUX, scratch)
    assert (place / "index.json").exists()
    assert len(found.layers) == 2


def test_a_layout_without_the_platform_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no image for linux/s390x"):
        open_archive(layout(tmp_path / "layout"), Platform("linux", "s390x"), tmp_path)


@pytest.mark.parametrize("broken", ["blobs", "index.json"])
def test_a_layout_that_lacks_a_file_is_an_error_with_its_name(tmp_path: Path, broken: str) -> None:
    folder = layout(tmp_path / "layout")
    (folder / broken).rename(tmp_path / "gone")
    with pytest.raises(EngineError, match="cannot be read as an image"):
        open_archive(folder, LINUX, tmp_path)


def test_a_digest_that_is_a_path_leads_nowhere(tmp_path: Path) -> None:
    folder = layout(tmp_path / "layout")
    (folder / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:../../etc/passwd"}]}))
    with pytest.raises(EngineError, match="no digest"):
        open_archive(folder, LINUX, tmp_path)


def test_a_dockerfile_and_an_empty_folder_are_no_archives(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert not is_archive(tmp_path / "Dockerfile")
    assert not is_archive(tmp_path)
