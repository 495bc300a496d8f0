"""The files of one commit by GitHub's tree API: one request lists them; a clone is made only to build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bot.errors import ForgeRefused
from bot.forge.checkout import GitCheckout
from bot.forge.known import Entry, Known

_READ_LIMIT: Final = 10 * 1024**2
_MOST_REQUESTS: Final = 20  # beyond that, one fetch by git is cheaper


class TreeCheckout:
    """The files of a project at the commit that is known (the `Checkout` port).

    Args:
        known: The project, with every path.
        blob: Gives the bytes of a file by its git id, and whether that took a request.
        clone: Fetches the commit with git: for the build context, and where very many files are read.
    """

    def __init__(
        self, known: Known, blob: Callable[[str], tuple[bytes, bool]], clone: Callable[[], GitCheckout]
    ) -> None:
        self._known, self._blob, self._clone = known, blob, clone
        self._requests = 0

    @property
    def commit(self) -> str:
        """The full commit id."""
        return self._known.commit

    @property
    def branch(self) -> str:
        """The branch pull requests go to."""
        return self._known.branch

    def tree(self, path: str) -> str:
        """The git object id of a file or folder (`.` is the whole); equal id, equal bytes.

        Raises:
            ForgeRefused: There is no such path in the commit.
        """
        inside = path.strip("/").removeprefix("./")
        return self._known.tree if inside in ("", ".") else self._entry(inside).oid

    def paths(self) -> Sequence[str]:
        """Every tracked file, sorted; no links, no submodules."""
        return sorted(path for path, entry in self._known.entries.items() if _regular(entry))

    def mode(self, path: str) -> str:
        """The git mode of a file."""
        return self._entry(path).mode

    def read(self, path: str, *, limit: int = _READ_LIMIT) -> bytes:
        """The bytes of a file as committed; a symbolic link is not followed.

        Raises:
            ForgeRefused: It is missing, a link, or larger than `limit` bytes.
        """
        entry = self._entry(path)
        if not _regular(entry):
            raise ForgeRefused(f"{path} is no regular file in commit {self.commit[:12]}")
        if entry.size > limit:
            raise ForgeRefused(f"{path} has {entry.size} bytes; at most {limit} are read")
        if self._requests >= _MOST_REQUESTS:
            return self._clone().read(path, limit=limit)
        content, asked = self._blob(entry.oid)
        self._requests += asked
        return content

    def export(self, destination: Path) -> None:
        """Write all files below `destination`; see `GitCheckout.export`."""
        self._clone().export(destination)

    def _entry(self, path: str) -> Entry:
        try:
            return self._known.entries[path]
        except KeyError:
            raise ForgeRefused(f"{path} does not exist in commit {self.commit[:12]}") from None


def _regular(entry: Entry) -> bool:
    return entry.type == "blob" and entry.mode.startswith("100")
