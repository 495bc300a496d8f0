"""Saved images: an OCI layout as a folder or a tar, with one image or several."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from bot.builder import measure_saved
from bot.builder.measure import measure_stream
from bot.errors import EngineError
from bot.model.evidence import Build
from bot.model.manifest import Platform
from bot.saved import for_scanner, is_saved_image, open_saved
from bot.saved.layer import Budget, Limits
from bot.saved.stream import CHUNK, Stream, gunzip, unzstd
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


def image(folder: Path, *layers: bytes, pack: Callable[[bytes], bytes] = gzip.compress) -> dict[str, Any]:
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = put(folder, json.dumps({"rootfs": {"diff_ids": ids}, "history": []}).encode())
    packed = [put(folder, pack(layer)) for layer in layers]
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


def measured(path: Path, platform: Platform, scratch: Path) -> Build:
    with open_saved(path, platform) as image:
        return measure_saved(image, scratch)


def packed(folder: Path, file: Path) -> Path:
    """A layout as a tar."""
    with tarfile.open(file, "w") as tar:
        for name in sorted(path.name for path in folder.iterdir()):
            tar.add(folder / name, name)
    return file


def test_the_image_for_the_platform_is_read_from_a_layout(tmp_path: Path) -> None:
    folder = layout(tmp_path / "layout")
    assert is_saved_image(folder)
    assert for_scanner(folder, tmp_path) == folder
    assert [layer.size for layer in measured(folder, LINUX, tmp_path).layers] == [len(ROOT), len(APP)]
    assert len(measured(folder, ARM, tmp_path).layers) == 1


def test_a_layout_in_a_tar_is_read_as_it_is_and_unpacked_for_the_scanner_alone(tmp_path: Path) -> None:
    file = packed(layout(tmp_path / "layout"), tmp_path / "layout.tar")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert is_saved_image(file)
    assert measured(file, LINUX, scratch) == measured(tmp_path / "layout", LINUX, scratch)
    assert list(scratch.iterdir()) == []
    assert (for_scanner(file, scratch) / "index.json").exists()


def test_a_layout_that_tar_packed_from_its_folder_is_one_too(tmp_path: Path) -> None:
    """Its paths begin with `./`."""
    layout(tmp_path / "layout")
    with tarfile.open(tmp_path / "layout.tar", "w") as tar:
        tar.add(tmp_path / "layout", ".")
    assert len(measured(tmp_path / "layout.tar", LINUX, tmp_path).layers) == 2
    assert for_scanner(tmp_path / "layout.tar", tmp_path / "scratch").is_dir()


def test_what_docker_25_saves_is_one_image_whichever_documents_are_read(tmp_path: Path) -> None:
    """It writes `manifest.json` beside the layout; older and newer readers find the same image."""
    folder = tmp_path / "layout"
    entry = image(folder, ROOT, APP)
    (folder / "index.json").write_text(json.dumps({"manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    as_layout = measured(folder, LINUX, tmp_path)
    manifest = json.loads((folder / "blobs/sha256" / entry["digest"][7:]).read_bytes())
    names = [f"blobs/sha256/{one['digest'][7:]}" for one in (manifest["config"], *manifest["layers"])]
    (folder / "manifest.json").write_text(json.dumps([{"Config": names[0], "Layers": names[1:]}]))

    file = packed(folder, tmp_path / "saved.tar")

    assert measured(file, LINUX, tmp_path) == as_layout
    assert for_scanner(file, tmp_path) == file, "the scanner reads this one"
    with file.open("rb") as stream:
        assert measure_stream(iter(lambda: stream.read(1000), b""), {}, tmp_path) == as_layout


def test_two_images_in_one_archive_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    names = ("shop:1", "shop:2")
    entries = [
        image(folder, *layers) | {"annotations": {"org.opencontainers.image.ref.name": name}}
        for name, layers in zip(names, ([ROOT], [ROOT, APP]), strict=True)
    ]
    (folder / "index.json").write_text(json.dumps({"manifests": entries}))
    (folder / "oci-layout").write_text("{}")
    with pytest.raises(EngineError, match=r"holds 2 images \(shop:1, shop:2\): save one alone"):
        measured(folder, LINUX, tmp_path)


def test_two_images_that_docker_saved_together_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    saved = [{"Config": "c", "RepoTags": [tag], "Layers": []} for tag in ("shop:1", "blog:1")]
    (folder / "manifest.json").write_text(json.dumps(saved))
    with pytest.raises(EngineError, match=r"holds 2 images \(shop:1, blog:1\): save one alone"):
        measured(packed(folder, tmp_path / "saved.tar"), LINUX, tmp_path)


def test_attestations_beside_an_image_are_no_image(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    attestation = image(folder, APP) | {"platform": {"os": "unknown", "architecture": "unknown"}}
    built = image(folder, ROOT, APP) | {"platform": {"os": "linux", "architecture": "amd64"}}
    (folder / "index.json").write_text(json.dumps({"manifests": [attestation, built]}))
    (folder / "oci-layout").write_text("{}")
    assert len(measured(folder, LINUX, tmp_path).layers) == 2


def test_a_tar_that_is_no_image_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme").write_text("no image")
    with pytest.raises(EngineError, match=r"holds neither manifest.json nor index.json") as raised:
        measured(packed(tmp_path / "notes", tmp_path / "notes.tar"), LINUX, tmp_path)
    assert "docker save" in raised.value.hint


def test_a_piece_that_unpacks_to_nothing_yet_is_not_the_end() -> None:
    """A chunk may end within the header of the next of many gzip members, as eStargz has them."""
    first, second = gzip.compress(b"a" * 10), gzip.compress(b"b" * 10)
    stream = Stream(gunzip([first, second[:5], second[5:]]))

    assert [stream.read(10) for _ in range(3)] == [b"a" * 10, b"b" * 10, b""]


def of_one(folder: Path, manifest: dict[str, Any]) -> Path:
    """A layout of one image."""
    (folder / "index.json").write_text(json.dumps({"manifests": [manifest]}))
    (folder / "oci-layout").write_text("{}")
    return folder


def chunked(layer: bytes) -> bytes:
    """As zstd:chunked stores it: many frames, and one without data that tells where they are."""
    table = b"\x50\x2a\x4d\x18" + (9).to_bytes(4, "little") + b"its table"
    return zstd.compress(layer[:700]) + table + zstd.compress(layer[700:]) + table


@pytest.mark.parametrize("pack", [zstd.compress, chunked], ids=["one frame", "chunked"])
def test_a_layer_packed_with_zstd_is_measured_as_with_gzip(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    one, other = tmp_path / "zstd", tmp_path / "gzip"
    by_zstd = measured(of_one(one, image(one, ROOT, APP, pack=pack)), LINUX, tmp_path)
    by_gzip = measured(of_one(other, image(other, ROOT, APP)), LINUX, tmp_path)

    assert [(layer.size, layer.files) for layer in by_zstd.layers] == [
        (layer.size, layer.files) for layer in by_gzip.layers
    ]
    assert [layer.pushed_size for layer in by_zstd.layers] == [len(pack(layer)) for layer in (ROOT, APP)]


def wide(layer: bytes) -> bytes:
    """A frame that wants 1 GiB of memory to be unpacked."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    return packer.compress(layer) + packer.flush()


@pytest.mark.parametrize(
    ("pack", "why"),
    [
        (wide, "requires too much memory"),
        (lambda layer: zstd.compress(layer)[:-3], "breaks off"),
        (lambda layer: zstd.compress(layer)[:9] + bytes(90), "Unable to decompress"),
    ],
    ids=["too wide a window", "torn", "broken"],
)
def test_zstd_that_cannot_be_unpacked_is_an_error_with_the_reason(
    tmp_path: Path, pack: Callable[[bytes], bytes], why: str
) -> None:
    folder = of_one(tmp_path, image(tmp_path, ROOT, pack=pack))
    with pytest.raises(EngineError, match=f"cannot be unpacked: .*{why}"):
        measured(folder, LINUX, tmp_path)


def test_a_bomb_of_zstd_is_not_unpacked_to_its_end() -> None:
    """A gigabyte of zeros in some tens of kilobytes."""
    budget = Budget(Limits(unpacked=10_000_000))
    packer = zstd.ZstdCompressor()
    bomb = b"".join([*(packer.compress(bytes(10**6)) for _ in range(1000)), packer.flush()])
    assert len(bomb) < 100_000

    assert max(len(chunk) for chunk in itertools.islice(unzstd([bomb]), 20)) <= CHUNK
    with pytest.raises(EngineError, match="unpack to more than 10,000,000 bytes"):
        sum(map(len, budget.metered(unzstd([bomb]))))


def sparse(pieces: int) -> bytes:
    """A tar of one file with so many holes, as GNU tar lists them: 21 in each block behind the header."""
    header = tarfile.TarInfo("holes")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    piece = b"%011o\0" % 512 + b"%011o\0" % 1
    blocks = pieces // 21
    more = (piece * 21 + b"\1" + bytes(7)) * (blocks - 1) + piece * 21 + bytes(8)
    return bytes(block) + more + bytes(1024)


def test_a_file_with_millions_of_holes_is_not_read(tmp_path: Path) -> None:
    """Each is a pair of numbers in memory, and a layer of them packs to nothing."""
    few = of_one(tmp_path, image(tmp_path, sparse(210)))
    assert [layer.size for layer in measured(few, LINUX, tmp_path).layers] == [len(sparse(210))]

    many = of_one(tmp_path, image(tmp_path, sparse(1_000_000)))
    with pytest.raises(EngineError, match="bytes of holes listed: not read"):
        measured(many, LINUX, tmp_path)


def test_a_mistake_of_ours_is_not_blamed_on_the_archive(tmp_path: Path) -> None:
    archive = layout(tmp_path)
    with pytest.raises(KeyError, match="ours"), open_saved(archive, LINUX):
        raise KeyError("ours")


def test_a_layout_without_the_platform_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no image for linux/s390x"):
        measured(layout(tmp_path / "layout"), Platform("linux", "s390x"), tmp_path)


@pytest.mark.parametrize(
    ("broken", "lacks"), [("blobs", "it lacks blobs/sha256/"), ("index.json", "it holds neither")]
)
def test_a_layout_that_lacks_a_file_is_an_error_with_its_name(
    tmp_path: Path, broken: str, lacks: str
) -> None:
    folder = layout(tmp_path / "layout")
    (folder / broken).rename(tmp_path / "gone")
    with pytest.raises(EngineError, match=f"cannot be read as a saved image: {lacks}"):
        measured(folder, LINUX, tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        '{"manifests": ["x"]}',
        '{"manifests": {"a": 1}}',
        '{"manifests": [{"platform": "linux"}]}',
        "[]",
        "3",
        "[" * 100_000,
    ],
    ids=["texts", "an object", "a platform in words", "a list", "a number", "deep"],
)
def test_documents_of_another_shape_are_an_error(tmp_path: Path, index: str) -> None:
    folder = layout(tmp_path / "layout")
    (folder / "index.json").write_text(index)
    with pytest.raises(EngineError, match="cannot be read as a saved image"):
        measured(folder, LINUX, tmp_path)


def test_a_digest_that_is_a_path_leads_nowhere(tmp_path: Path) -> None:
    folder = layout(tmp_path / "layout")
    (folder / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:../../etc/passwd"}]}))
    with pytest.raises(EngineError, match="no digest"):
        measured(folder, LINUX, tmp_path)


def test_a_dockerfile_and_an_empty_folder_are_no_archives(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert not is_saved_image(tmp_path / "Dockerfile")
    assert not is_saved_image(tmp_path)
