"""A plain folder as a checkout: what `refit discover` and `refit check` read, git or not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bot.dockerfile.files import VENDORED, ignored
from bot.errors import ForgeRefused

_IGNORE_LIMIT: Final = 1024 * 1024


class FolderCheckout:
    """The files of a folder as they are now; `.gitignore` files are honoured, vendored folders left out.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def paths(self) -> tuple[str, ...]:
        """Every path that git would not ignore, with `/`, sorted."""
        gitignores: dict[str, bytes] = {}
        found: list[str] = []
        for folder, names, files in os.walk(self._root):
            inside = Path(folder).relative_to(self._root).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            if ".gitignore" in files:
                gitignores["" if inside == "." else inside] = (Path(folder) / ".gitignore").read_bytes()[
                    :_IGNORE_LIMIT
                ]
            names[:] = sorted(
                name for name in names if name not in VENDORED and not ignored(f"{prefix}{name}/", gitignores)
            )
            found += [f"{prefix}{name}" for name in files if not ignored(f"{prefix}{name}", gitignores)]
        return tuple(sorted(found))

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        """The bytes of a file.

        Raises:
            ForgeRefused: It cannot be read, is larger than `limit`, or leads out of the folder.
        """
        file = self._root / path
        try:
            if not file.resolve().is_relative_to(self._root.resolve()):
                raise ForgeRefused(f"{path} is a link that leads out of {self._root}")
            with file.open("rb") as handle:
                data = handle.read(limit + 1)
        except OSError as error:
            raise ForgeRefused(f"cannot read {path}: {error.strerror}") from error
        if len(data) > limit:
            raise ForgeRefused(f"{path} has more than {limit} bytes")
        return data
