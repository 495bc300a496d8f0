"""Layer tars for tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from bot.builder.contents import LayerContents, read_layer


def layer_tar(files: Mapping[str, bytes | int]) -> bytes:
    """A layer with these files, by content or number of bytes; a path that ends in `/` is a folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.rstrip("/"))
            data = b"x" * content if isinstance(content, int) else content
            member.size = len(data)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def layer(files: Mapping[str, bytes | int]) -> LayerContents:
    """The same, read."""
    return read_layer(iter([layer_tar(files)]))
