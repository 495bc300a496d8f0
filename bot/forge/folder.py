"""A plain folder as a checkout: what `refit discover` and `refit check` read, git or not."""

from __future__ import annotations

import os
from contextlib import suppress
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
        self._root, self._real = root, root.resolve()

    def paths(self) -> tuple[str, ...]:
        """Every path that git would not ignore, with `/`, sorted."""
        above, rules = self._rules_above()
        found: list[str] = []
        for folder, names, files in os.walk(self._root):
            inside = Path(folder).relative_to(self._root).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            if ".gitignore" in files:
                place = f"{above}{prefix}".rstrip("/")
                rules[place] = rules.get(place, b"") + self._gitignore(f"{prefix}.gitignore")
            names[:] = sorted(
                name
                for name in names
                if name not in VENDORED and not ignored(f"{above}{prefix}{name}/", rules)
            )
            found += [f"{prefix}{name}" for name in files if not ignored(f"{above}{prefix}{name}", rules)]
        return tuple(sorted(found))

    def _rules_above(self) -> tuple[str, dict[str, bytes]]:
        """Where the folder stands in its git repository (`services/web/`), and what is ignored from above it.

        A folder that git ignores was asked for all the same: then nothing above it counts.
        """
        top = next((one for one in (self._real, *self._real.parents) if (one / ".git").exists()), None)
        if top is None:
            return "", {}
        parts = self._real.relative_to(top).parts
        rules = {"": _ignores(top / ".git" / "info" / "exclude")}
        for depth in range(len(parts)):
            place = "/".join(parts[:depth])
            rules[place] = rules.get(place, b"") + _ignores(top / place / ".gitignore")
        above = "".join(f"{part}/" for part in parts)
        return (above, rules) if not (above and ignored(above, rules)) else ("", {})

    def _gitignore(self, path: str) -> bytes:
        """What a .gitignore says; nothing where it cannot be read, as with git."""
        try:
            return self.read(path, limit=_IGNORE_LIMIT)
        except ForgeRefused:
            return b""

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        """The bytes of a file.

        Raises:
            ForgeRefused: It cannot be read, is no plain file, is larger than `limit`, or leads out of the
                folder.
        """
        file = self._root / path
        try:
            real = file.resolve(strict=True)
            if not real.is_relative_to(self._real):
                raise ForgeRefused(f"{path} is a link that leads out of {self._root}")
            if not real.is_file():  # a pipe would be waited for without end
                raise ForgeRefused(f"{path} is no plain file")
            with real.open("rb") as handle:
                data = handle.read(limit + 1)
        except OSError as error:
            raise ForgeRefused(f"cannot read {path}: {error.strerror}") from error
        except RuntimeError as error:  # Python 3.11's word for links in a circle
            raise ForgeRefused(f"cannot read {path}: its links go in a circle") from error
        if len(data) > limit:
            raise ForgeRefused(f"{path} has more than {limit} bytes")
        return data


def _ignores(file: Path) -> bytes:
    """A file of git's ignore rules outside the folder, its last line ended; nothing where there is none."""
    if not file.is_file():
        return b""
    with suppress(OSError), file.open("rb") as handle:
        return handle.read(_IGNORE_LIMIT) + b"\n"
    return b""
