"""Images that somebody saved: a docker-save tar, or an OCI layout as a folder or a tar."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bot.builder.measure import measure_stream, reading
from bot.builder.stream import CHUNK
from bot.errors import EngineError
from bot.model.evidence import Build
from bot.model.manifest import Platform

_LAYOUT: Final = "oci-layout"
_NESTED: Final = 4


def is_archive(path: Path) -> bool:
    """True for what `open_archive` reads."""
    return (path / _LAYOUT).is_file() if path.is_dir() else path.is_file() and tarfile.is_tarfile(path)


def open_archive(path: Path, platform: Platform, scratch: Path) -> tuple[Path, Build]:
    """Look into a saved image; gives a path that Trivy reads, and what is in the image.

    Args:
        path: The tar or folder.
        platform: Which image of an OCI index.
        scratch: Folder for temporary files; an OCI tar is unpacked into it.

    Raises:
        EngineError: It holds no image for the platform, or cannot be read.
    """
    try:
        if path.is_dir():
            return path, _measure_layout(path, platform, scratch)
        if _is_layout(path):
            folder = scratch / "layout"
            with tarfile.open(path) as tar:
                tar.extractall(folder, filter="data")
            return folder, _measure_layout(folder, platform, scratch)
        return path, measure_stream(_pieces(path), {}, scratch)
    except (OSError, tarfile.TarError) as error:
        raise EngineError(f"{path} cannot be read as an image: {error}") from error


def _is_layout(path: Path) -> bool:
    """An OCI layout that is not at the same time what `docker save` writes."""
    with tarfile.open(path) as tar:
        names = set(tar.getnames())
    return _LAYOUT in names and "manifest.json" not in names


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def _measure_layout(folder: Path, platform: Platform, scratch: Path) -> Build:
    """Read an OCI layout (image-layout.md): `index.json` leads to a manifest, and that to its blobs."""
    with reading(scratch) as found:
        manifest = _manifest(folder, json.loads((folder / "index.json").read_bytes()), platform)
        names = [_blob(one) for one in (manifest["config"], *manifest["layers"])]
        for name in names:
            with (folder / name).open("rb") as file:
                found.take_file(name, (folder / name).stat().st_size, file)
        described = [{"Config": names[0], "Layers": names[1:]}]
        found.documents["manifest.json"] = json.dumps(described).encode()
        return found.build({})


def _manifest(folder: Path, index: Mapping[str, Any], platform: Platform, depth: int = 0) -> dict[str, Any]:
    entries = [one for one in index["manifests"] if _fits(one, platform)]
    if not entries or depth > _NESTED:
        raise EngineError(f"{folder} holds no image for {platform}")
    document: dict[str, Any] = json.loads((folder / _blob(entries[0])).read_bytes())
    return _manifest(folder, document, platform, depth + 1) if "manifests" in document else document


def _fits(descriptor: Mapping[str, Any], platform: Platform) -> bool:
    """An entry that names no platform is as good as any: the only image of a layout often names none."""
    named = descriptor.get("platform")
    if not named:
        return True
    made_for = Platform(named.get("os", ""), named.get("architecture", ""), named.get("variant") or "")
    return made_for.satisfies(platform)


def _blob(descriptor: Mapping[str, Any]) -> str:
    algorithm, _, value = str(descriptor["digest"]).partition(":")
    if not (algorithm.isalnum() and value.isalnum()):
        raise ValueError(f"no digest: {descriptor['digest']}")
    return f"blobs/{algorithm}/{value}"
