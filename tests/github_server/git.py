"""A bare git repository, driven by plumbing only: every object that the server names is a real one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TIMEOUT_SECONDS = 300.0
_ISOLATED = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


class GitFailedError(Exception):
    """Git refused a plumbing command; the text is its own message."""


class ConflictError(Exception):
    """Two histories do not merge cleanly."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of `git ls-tree -l`; `type` is blob, tree or commit, `size` bytes (None but for a blob)."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Person:
    """Author or committer of a commit; `date` is `SECONDS +ZONE`, as git stores it."""

    name: str
    email: str
    date: str

    def line(self) -> str:
        return f"{self.name} <{self.email}> {self.date}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit object, parsed."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


def environment(**more: str) -> dict[str, str]:
    """The environment for git: this machine's PATH, and nobody's configuration."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, **_ISOLATED, **more}


@dataclass(frozen=True, slots=True)
class BareRepository:
    """A bare repository in the folder `path`."""

    path: Path

    @classmethod
    def create(cls, path: Path, default_branch: str) -> BareRepository:
        """Make an empty bare repository whose HEAD names `default_branch`."""
        path.mkdir(parents=True)
        repository = cls(path)
        repository.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        repository.run("config", "uploadpack.allowAnySHA1InWant", "true")
        repository.run("config", "gc.auto", "0")  # no process of git's outlives a push
        return repository

    def run(self, *arguments: str, stdin: bytes = b"", index: str | None = None) -> bytes:
        """Run one git command and return what it wrote.

        Raises:
            GitFailedError: git ended with an error.
        """
        done = self._process(arguments, stdin, index)
        if done.returncode != 0:
            raise GitFailedError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def line(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run one git command and return its output without the last newline."""
        return self.run(*arguments, stdin=stdin).decode().rstrip("\n")

    def succeeds(self, *arguments: str) -> bool:
        """Whether one git command ends with 0."""
        return self._process(arguments, b"", None).returncode == 0

    def _process(
        self, arguments: tuple[str, ...], stdin: bytes, index: str | None
    ) -> subprocess.CompletedProcess[bytes]:
        more = {"GIT_DIR": str(self.path)} | ({"GIT_INDEX_FILE": index} if index else {})
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=environment(**more),
            input=stdin,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )

    # -- refs ---------------------------------------------------------------------------------

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """All refs below a prefix, by full name."""
        out = self.line("for-each-ref", "--format=%(refname) %(objectname)")
        pairs = (line.split(" ", 1) for line in out.splitlines())
        return {name: sha for name, sha in pairs if name.startswith(prefix)}

    def ref(self, name: str) -> str | None:
        """The object that a full ref name points at, or None."""
        return self.refs(name).get(name)

    def set_ref(self, name: str, sha: str, old: str | None = None) -> None:
        """Point a ref at an object; with `old`, only if it still points there."""
        self.run("update-ref", name, sha, *([old] if old else []))

    def delete_ref(self, name: str) -> None:
        self.run("update-ref", "-d", name)

    # -- objects ------------------------------------------------------------------------------

    def type_of(self, sha: str) -> str | None:
        """`blob`, `tree`, `commit` or `tag`; None where there is no such object."""
        try:
            return self.line("cat-file", "-t", sha)
        except GitFailedError:
            return None

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The full object id of a branch, tag or (short) id, peeled to `kind`; None if there is none."""
        try:
            return self.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}")
        except GitFailedError:
            return None

    def blob(self, sha: str) -> bytes:
        return self.run("cat-file", "blob", sha)

    def write_blob(self, content: bytes) -> str:
        return self.line("hash-object", "-w", "--stdin", stdin=content)

    def entries(self, tree: str, *, recursive: bool = False) -> list[TreeEntry]:
        """The entries of a tree; recursive adds those of its folders (which stay listed themselves)."""
        out = self.run("ls-tree", "-z", "-l", *(["-r", "-t"] if recursive else []), tree)
        return [_entry(line) for line in out.decode().split("\0") if line]

    def entry(self, revision: str, path: str) -> TreeEntry | None:
        """The entry at a path of a commit or tree, or None."""
        out = self.run("ls-tree", "-z", "-l", "--full-tree", revision, "--", path.strip("/")).decode()
        return _entry(out.rstrip("\0")) if out else None

    def write_tree(self, changes: Iterable[tuple[str, str | None, str]], base: str | None = None) -> str:
        """Write a tree: `base` with changes of (mode, object id or None to remove, path) applied."""
        with tempfile.TemporaryDirectory() as folder:
            index = f"{folder}/index"
            self.run("read-tree", base or "--empty", index=index)
            lines = "".join(
                f"{mode if sha else 0} {sha or '0' * 40}\t{path}\0" for mode, sha, path in changes
            )
            self.run("update-index", "-z", "--index-info", stdin=lines.encode(), index=index)
            return self.run("write-tree", index=index).decode().strip()

    def write_commit(
        self, tree: str, parents: Iterable[str], message: str, author: Person, committer: Person
    ) -> str:
        """Write a commit object with exactly this message (git's porcelain would add a newline)."""
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        head += [f"author {author.line()}", f"committer {committer.line()}"]
        raw = "\n".join(head) + "\n\n" + message
        return self.line("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.encode())

    def commit(self, sha: str) -> Commit:
        """Read a commit object."""
        head, _, message = self.run("cat-file", "commit", sha).decode(errors="replace").partition("\n\n")
        fields = [line.split(" ", 1) for line in head.splitlines() if " " in line and line[0] != " "]
        values = {key: value for key, value in fields if key != "parent"}
        parents = tuple(value for key, value in fields if key == "parent")
        people = _person(values["author"]), _person(values["committer"])
        return Commit(sha, values["tree"], parents, *people, message)

    # -- history ------------------------------------------------------------------------------

    def log(self, revisions: str, limit: int | None = None) -> list[str]:
        """Commits of a range, newest first."""
        return self.line("rev-list", *([f"-n{limit}"] if limit else []), revisions, "--").split()

    def merge_base(self, one: str, other: str) -> str | None:
        try:
            return self.line("merge-base", one, other)
        except GitFailedError:
            return None

    def is_ancestor(self, old: str, new: str) -> bool:
        return self.succeeds("merge-base", "--is-ancestor", old, new)

    def merge_tree(self, ours: str, theirs: str) -> str:
        """The tree of a merge of two commits.

        Raises:
            ConflictError: they do not merge cleanly.
        """
        done = self._process(("merge-tree", "--write-tree", ours, theirs), b"", None)
        if done.returncode == 1:
            raise ConflictError
        if done.returncode != 0:
            raise GitFailedError(done.stderr.decode(errors="replace"))
        return done.stdout.decode().split("\n", 1)[0]

    def pick(self, sha: str, onto: str) -> str:
        """Put one commit on top of another, as a rebase does, and return the new commit.

        `merge-tree --merge-base` came with git 2.40; with three throw-away commits the git of Debian 12
        does the same.
        """
        commit = self.commit(sha)
        nobody = Person("nobody", "nobody@localhost", "0 +0000")
        old = self.write_commit(self.commit(commit.parents[0]).tree, (), "old", nobody, nobody)
        ours = self.write_commit(self.commit(onto).tree, (old,), "ours", nobody, nobody)
        theirs = self.write_commit(commit.tree, (old,), "theirs", nobody, nobody)
        tree = self.merge_tree(ours, theirs)
        return self.write_commit(tree, (onto,), commit.message, commit.author, commit.committer)


def _entry(line: str) -> TreeEntry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return TreeEntry(mode, kind, sha, None if size == "-" else int(size), path)


def _person(text: str) -> Person:
    name, _, rest = text.partition(" <")
    email, _, date = rest.partition("> ")
    return Person(name, email, date)
