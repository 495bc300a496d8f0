"""Images as `docker save` writes them, made of a few lines."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Made:
    """One file of a layer: its bytes, and what is special about it."""

    data: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    link: str = ""


Layer = Mapping[str, Made | bytes]

FOLDER = Made(mode=0o755, kind=tarfile.DIRTYPE)


def layer(files: Layer) -> bytes:
    """The tar of one layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, file in files.items():
            one = Made(file) if isinstance(file, bytes) else file
            member = tarfile.TarInfo(path)
            member.type, member.mode, member.size, member.linkname = (
                one.kind,
                one.mode,
                len(one.data),
                one.link,
            )
            tar.addfile(member, io.BytesIO(one.data))
    return out.getvalue()


def save(
    file: Path,
    layers: Sequence[Layer | bytes],
    *,
    packed: bool = False,
    history: Sequence[Mapping[str, Any]] = (),
    **config: Any,
) -> Path:
    """Write an image; the config is what `docker inspect` shows as Config."""
    made = [one if isinstance(one, bytes) else layer(one) for one in layers]
    names = [f"{number}/layer.tar" for number in range(len(made))]
    documents = {
        "manifest.json": [{"Config": "config.json", "Layers": names}],
        "config.json": {"config": {"User": "10001", **config}, "history": list(history)},
    }
    files = {name: json.dumps(document).encode() for name, document in documents.items()}
    files |= {name: gzip.compress(one, 1) if packed else one for name, one in zip(names, made, strict=True)}
    with tarfile.open(file, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file
