"""Layers, sizes and what a push would store, from the archive an engine saves."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from bot.builder.measure import measure_stream
from bot.builder.packing import gzipped_size
from bot.errors import EngineError
from bot.model.evidence import Build, PathSize
from bot.saved.layer import Limits
from tests.unit.builder.layers import layer_tar

FIRST, SECOND = layer_tar({"etc/os-release": b"debian"}), layer_tar({"app": b"a" * 4000})
IDS = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]
HISTORY = [
    {"created_by": "ADD rootfs"},
    {"created_by": "ENV A=b", "empty_layer": True},
    {"created_by": "RUN make"},
]


def config(ids: list[str] = IDS, history: list[dict[str, object]] | None = None) -> bytes:
    made = HISTORY if history is None else history
    return json.dumps({"rootfs": {"diff_ids": ids}, "history": made}).encode()


def manifest(*layers: str, name: str = "abc.json") -> bytes:
    return json.dumps([{"Config": name, "Layers": list(layers)}]).encode()


def archive(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """A tar in pieces of an odd size, as they come from an engine."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    data = made.getvalue()
    return (data[start : start + 777] for start in range(0, len(data), 777))


def measured(pieces: Iterable[bytes], base: Mapping[str, int | None] | None = None) -> Build:
    return measure_stream(pieces, base or {}, Path(tempfile.gettempdir()))


def test_each_layer_has_the_bytes_of_its_tar_and_its_instruction() -> None:
    files = {
        "1/layer.tar": FIRST,
        "abc.json": config(),
        "2/layer.tar": SECOND,
        "manifest.json": manifest("1/layer.tar", "2/layer.tar"),
    }
    found = measured(archive(files))
    assert [(layer.diff_id, layer.size, layer.instruction) for layer in found.layers] == [
        (IDS[0], len(FIRST), "ADD rootfs"),
        (IDS[1], len(SECOND), "RUN make"),
    ]
    assert found.size == len(FIRST) + len(SECOND)
    assert found.layers[1].files == {"app": 4000}
    assert found.largest == (PathSize("app", 4000), PathSize("etc/os-release", 6))


@pytest.mark.parametrize("name", ["[id].js", "{slug}.js"])
def test_a_layer_that_begins_with_a_file_named_like_json_is_a_layer(name: str) -> None:
    files = {
        "abc.json": config(IDS[:1], []),
        "1/layer.tar": layer_tar({name: b"page"}),
        "manifest.json": manifest("1/layer.tar"),
    }
    assert measured(archive(files)).layers[0].files == {name: 4}


def test_an_image_of_more_files_than_the_memory_holds_is_not_measured() -> None:
    files = {
        "abc.json": config(IDS[:1], []),
        "1/layer.tar": layer_tar({f"{number}": b"" for number in range(4)}),
        "manifest.json": manifest("1/layer.tar"),
    }
    with pytest.raises(EngineError, match="an image of more than 3 files is not read"):
        measure_stream(archive(files), {}, Path(tempfile.gettempdir()), Limits(entries=3))
    assert len(measured(archive(files)).layers[0].files) == 4


def test_what_is_attached_to_an_image_is_no_layer_of_it_however_large_it_is() -> None:
    files = {
        "abc.json": config(IDS[:1], []),
        "blobs/sha256/1": FIRST,
        "blobs/sha256/2": json.dumps({"predicate": "x" * 5_000_000}).encode(),
        "manifest.json": manifest("blobs/sha256/1"),
    }
    assert measured(archive(files)).size == len(FIRST)


def test_a_layer_of_the_base_counts_as_its_registry_stores_it_and_the_others_as_packed() -> None:
    files = {
        "1/layer.tar": FIRST,
        "abc.json": config(),
        "2/layer.tar": SECOND,
        "manifest.json": manifest("1/layer.tar", "2/layer.tar"),
    }
    found = measured(archive(files), {IDS[0]: 777})
    assert [layer.base for layer in found.layers] == [True, False]
    assert [layer.pushed_size for layer in found.layers] == [777, len(gzip.compress(SECOND, 6))]
    assert found.pushed_size == len(config()) + sum(layer.pushed_size or 0 for layer in found.layers)


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(FIRST), gzip.compress(FIRST[:5000]) + gzip.compress(FIRST[5000:])],
    ids=["one member", "two members"],
)
def test_a_compressed_layer_counts_unpacked(packed: bytes) -> None:
    files = {
        "blobs/sha256/1": packed,
        "blobs/sha256/2": SECOND,
        "blobs/sha256/c": config(),
        "manifest.json": manifest("blobs/sha256/1", "blobs/sha256/2", name="blobs/sha256/c"),
    }
    found = measured(archive(files))
    assert [layer.size for layer in found.layers] == [len(FIRST), len(SECOND)]
    assert found.layers[0].pushed_size == len(packed)


def test_a_layer_that_occurs_twice_is_stored_once_and_counts_twice() -> None:
    files = {
        "1/layer.tar": SECOND,
        "abc.json": config(),
        "manifest.json": manifest("1/layer.tar", "2/layer.tar"),
    }
    layers = measured(archive(files, {"2/layer.tar": "../1/layer.tar"})).layers
    assert [layer.size for layer in layers] == [len(SECOND), len(SECOND)]


def test_a_history_that_does_not_fit_gives_no_instructions_rather_than_wrong_ones() -> None:
    files = {
        "1/layer.tar": FIRST,
        "2/layer.tar": SECOND,
        "abc.json": config(history=[{"created_by": "RUN only one"}]),
        "manifest.json": manifest("1/layer.tar", "2/layer.tar"),
    }
    assert [layer.instruction for layer in measured(archive(files)).layers] == ["", ""]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"manifest.json": b"{"},
        {"manifest.json": b"[]"},
        {"manifest.json": manifest("1/layer.tar")},
        {"manifest.json": manifest("1/layer.tar"), "abc.json": config()},
        {"manifest.json": manifest("1"), "abc.json": config(IDS[:1]), "1": b"no tar" * 200},
        {"manifest.json": manifest("1"), "abc.json": config(IDS[:1]), "1": b"\x1f\x8bbroken"},
        {"manifest.json": manifest("1"), "abc.json": config(IDS[:1]), "1": b"\x28\xb5\x2f\xfdzstd"},
    ],
    ids=[
        "empty",
        "no json",
        "no image",
        "no config",
        "no layer",
        "no tar",
        "broken gzip",
        "unknown compression",
    ],
)
def test_an_archive_that_cannot_be_read_is_an_error_and_no_size(files: dict[str, bytes]) -> None:
    with pytest.raises(EngineError):
        measured(archive(files))


def test_an_archive_that_ends_early_is_an_error() -> None:
    whole = b"".join(archive({"1/layer.tar": FIRST, "manifest.json": manifest("1/layer.tar")}))
    with pytest.raises(EngineError, match="cannot be read"):
        measured([whole[:6000]])


def test_a_large_layer_is_packed_in_part_and_still_within_some_percent() -> None:
    chance = random.Random(1)  # noqa: S311 - bytes that pack as badly every time
    mixed = b"".join(chance.randbytes(700_000) + bytes(300_000) for _ in range(40))
    assert gzipped_size(io.BytesIO(mixed), len(mixed)) == pytest.approx(
        len(gzip.compress(mixed, 6)), rel=0.06
    )
