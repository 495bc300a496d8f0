"""The files of one commit, read from git's objects: exactly the bytes that were committed.

No work tree and no `git archive`: both run what attributes ask for (filters, line ends, `export-ignore`,
`export-subst`), and the build context must be the files as committed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bot.errors import ForgeRefused
from bot.forge.git import Git

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_EXECUTABLE: Final = "100755"
_READ_LIMIT: Final = 10 * 1024**2
_EXPORT_LIMIT: Final = 4 * 1024**3
_BATCH_BYTES: Final = 32 * 1024**2
_FORBIDDEN: Final = frozenset({"", ".", "..", ".git"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracked path: its git mode, object id, size in bytes (0 for a submodule) and name."""

    mode: str
    oid: str
    size: int
    name: bytes

    @property
    def regular(self) -> bool:
        """True for a file; False for a symbolic link or a submodule."""
        return self.mode not in (_LINK, _SUBMODULE)


class GitCheckout:
    """The files of a repository at one commit (the `Checkout` port).

    Args:
        git: The repository.
        commit: Full commit id.
        branch: The branch that pull requests go to.
    """

    def __init__(self, git: Git, commit: str, branch: str) -> None:
        self._git, self._commit, self._branch = git, commit, branch

    @property
    def commit(self) -> str:
        """The full commit id."""
        return self._commit

    @property
    def branch(self) -> str:
        """The branch pull requests go to."""
        return self._branch

    def tree(self, path: str) -> str:
        """The git object id of a file or folder (`.` is the whole); equal id, equal bytes.

        Raises:
            ForgeRefused: There is no such path in the commit.
        """
        inside = path.strip("/").removeprefix("./")
        name = f"{self._commit}^{{tree}}" if inside in ("", ".") else f"{self._commit}:{inside}"
        found = self._git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        if found is None:
            raise ForgeRefused(f"{path} does not exist in commit {self._commit[:12]}")
        return found

    def paths(self) -> Sequence[str]:
        """Every tracked file, sorted; no links, no submodules, no names that are not UTF-8."""
        return sorted(path for path, entry in self._entries.items() if entry.regular)

    def read(self, path: str, *, limit: int = _READ_LIMIT) -> bytes:
        """The bytes of a file as committed; a symbolic link is not followed.

        Raises:
            ForgeRefused: It is missing, a link, or larger than `limit` bytes.
        """
        entry = self._entries.get(path)
        if entry is None or not entry.regular:
            what = "is no regular file" if entry else "does not exist"
            raise ForgeRefused(f"{path} {what} in commit {self._commit[:12]}")
        if entry.size > limit:
            raise ForgeRefused(f"{path} has {entry.size} bytes; at most {limit} are read")
        return self._git.run("cat-file", "blob", entry.oid, limit=limit + 1)

    def mode(self, path: str) -> str:
        """The git mode of a file.

        Raises:
            ForgeRefused: There is no such path in the commit.
        """
        if (entry := self._entries.get(path)) is None:
            raise ForgeRefused(f"{path} does not exist in commit {self._commit[:12]}")
        return entry.mode

    def export(self, destination: Path) -> None:
        """Write all files below `destination`, dated as the commit is.

        Regular files come first and links last, so that nothing is ever written through a link. Links stay
        as committed, wherever they lead; a submodule is an empty folder.

        Raises:
            ForgeRefused: A path would leave `destination`, or there is too much of it.
        """
        destination.mkdir(parents=True, exist_ok=True)
        entries = self._listing
        if sum(entry.size for entry in entries) > _EXPORT_LIMIT:
            raise ForgeRefused(f"commit {self._commit[:12]} holds more than {_EXPORT_LIMIT} bytes")
        for batch in _batches(sorted(entries, key=lambda entry: entry.mode == _LINK)):
            for entry, content in zip(batch, self._contents(batch), strict=True):
                _write(destination, entry, content)
        self._date(destination)

    @cached_property
    def _listing(self) -> tuple[Entry, ...]:
        out = self._git.run("ls-tree", "-r", "-l", "-z", "--full-tree", self._commit)
        return tuple(_entry(line) for line in out.split(b"\0") if line)

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        named: dict[str, Entry] = {}
        for entry in self._listing:
            with contextlib.suppress(UnicodeDecodeError):
                named[entry.name.decode()] = entry
        return named

    def _contents(self, batch: Sequence[Entry]) -> Iterator[bytes]:
        """The bytes of each entry, by one `git cat-file`."""
        wanted = "".join(f"{entry.oid}\n" for entry in batch if entry.mode != _SUBMODULE)
        room = sum(entry.size + 200 for entry in batch)
        out = self._git.run("cat-file", "--batch", stdin=wanted.encode(), limit=room)
        position = 0
        for entry in batch:
            if entry.mode == _SUBMODULE:
                yield b""
                continue
            start = out.index(b"\n", position) + 1
            yield out[start : start + entry.size]
            position = start + entry.size + 1

    def _date(self, destination: Path) -> None:
        seconds = committed_at(self._git, self._commit)
        for folder, folders, files in os.walk(destination, topdown=False):
            for name in (*files, *folders, "."):
                os.utime(Path(folder) / name, (seconds, seconds), follow_symlinks=False)


def committed_at(git: Git, commit: str) -> int:
    """When a commit was made, in seconds since 1970; read from the object, for `git log` may call gpg."""
    head, _, _ = git.run("cat-file", "commit", commit).partition(b"\n\n")
    committer = next(line for line in head.splitlines() if line.startswith(b"committer "))
    return int(committer.rsplit(b" ", 2)[1])


def _entry(line: bytes) -> Entry:
    """Read `MODE TYPE OID SIZE<tab>NAME`."""
    facts, _, name = line.partition(b"\t")
    mode, _, oid, size = facts.decode().split()
    return Entry(mode, oid, 0 if size == "-" else int(size), name)


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Groups of at most `_BATCH_BYTES`, or one entry that is larger."""
    batch: list[Entry] = []
    room = _BATCH_BYTES
    for entry in entries:
        if batch and entry.size > room:
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(entry)
        room -= entry.size
    if batch:
        yield batch


def _write(destination: Path, entry: Entry, content: bytes) -> None:
    parts = os.fsdecode(entry.name).split("/")
    if _FORBIDDEN & {part.lower() for part in parts}:
        raise ForgeRefused(f"the commit holds the path {entry.name!r}, which no checkout may write")
    path = destination.joinpath(*parts)
    if entry.mode == _LINK and _through_a_link(path.parent, destination):
        # A tree may name one thing twice, as a link and as a folder: what is in it would land elsewhere.
        raise ForgeRefused(f"the commit holds the path {entry.name!r}, which leads through a link")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == _SUBMODULE:
            path.mkdir()
        elif entry.mode == _LINK:
            path.symlink_to(os.fsdecode(content))
        else:
            _write_file(path, content, 0o755 if entry.mode == _EXECUTABLE else 0o644)
    except OSError as error:
        raise ForgeRefused(f"cannot write {path}: {error.strerror}") from error


def _through_a_link(folder: Path, destination: Path) -> bool:
    inside = (one for one in (folder, *folder.parents) if one.is_relative_to(destination))
    return any(one.is_symlink() for one in inside if one != destination)


def _write_file(path: Path, content: bytes, mode: int) -> None:
    # O_EXCL: two entries for one path are an attack, and it also refuses to open a link.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
