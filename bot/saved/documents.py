"""Which documents and layers make up the image of an archive. Pure.

`manifest.json` is Docker's (moby: image/tarexport); `index.json` leads to manifests, and these to blobs, as
in the OCI image layout (image-layout.md). Docker 25 and later write both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.model.manifest import Platform

DOCKER: Final = "manifest.json"
OCI: Final = "index.json"
_NESTED: Final = 4
_NAMED: Final = "org.opencontainers.image.ref.name"

Read = Callable[[str], bytes]
Descriptor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """An image's config, and the names of its layers from the bottom."""

    config: bytes
    layers: tuple[str, ...]


def described(read: Read, platform: Platform | None) -> Described:
    """Find the one image of an archive.

    Args:
        read: A document by its name; raises KeyError where there is none.
        platform: Which image of an OCI index; None takes any.

    Raises:
        ValueError: There is none for the platform, or there are several.
        KeyError: A document is missing.
    """
    saved, index = _document(read, DOCKER), _document(read, OCI)
    if saved is None and index is None:
        raise ValueError(f"it holds neither {DOCKER} nor {OCI}")
    if saved is not None and (len(saved) == 1 or index is None):
        image = _only(saved, [tag for one in saved for tag in one.get("RepoTags") or ()], platform)
        return Described(read(str(image["Config"])), tuple(str(layer) for layer in image["Layers"]))
    found = {one["digest"]: one for one in _manifests(read, index or {}, platform)}
    names = [str((one.get("annotations") or {}).get(_NAMED) or "") for one in found.values()]
    manifest = json.loads(read(blob(_only(list(found.values()), names, platform))))
    return Described(read(blob(manifest["config"])), tuple(blob(one) for one in manifest["layers"]))


def blob(descriptor: Descriptor) -> str:
    """Where a layout keeps what a descriptor names; raises ValueError for what is no digest."""
    algorithm, _, value = str(descriptor["digest"]).partition(":")
    if not (algorithm.isalnum() and value.isalnum()):
        raise ValueError(f"no digest: {descriptor['digest']}")
    return f"blobs/{algorithm}/{value}"


def _document(read: Read, name: str) -> Any | None:
    try:
        return json.loads(read(name))
    except KeyError:
        return None


def _only(images: list[Descriptor], names: Iterable[str], platform: Platform | None) -> Descriptor:
    if not images:
        raise ValueError(f"it holds no image for {platform}")
    if len(images) > 1:
        named = ", ".join(name for name in names if name)
        raise ValueError(f"it holds {len(images)} images{f' ({named})' if named else ''}: save one alone")
    return images[0]


def _manifests(
    read: Read, index: Mapping[str, Any], platform: Platform | None, depth: int = 0
) -> Iterator[Descriptor]:
    """Descriptors of the images for a platform; those that name it come before those that name none."""
    named = [one for one in index["manifests"] if one.get("platform")]
    fitting = [one for one in named if platform is None or _platform(one).satisfies(platform)]
    for one in fitting or [one for one in index["manifests"] if not one.get("platform")]:
        document = json.loads(read(blob(one)))
        if "manifests" not in document:
            yield one
        elif depth < _NESTED:
            yield from ({**one, **inner} for inner in _manifests(read, document, platform, depth + 1))


def _platform(descriptor: Descriptor) -> Platform:
    named = descriptor["platform"]
    return Platform(named.get("os", ""), named.get("architecture", ""), named.get("variant") or "")
