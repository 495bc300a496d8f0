"""Where projects live and publications appear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bot.model.pulls import Check, OpenPull, Proposal
from bot.model.run import Issue, Publication, PullRequest
from bot.model.target import Project


class Checkout(Protocol):
    """The files of a project at one commit. Blocking."""

    @property
    def commit(self) -> str:
        """The full commit id."""
        ...

    @property
    def branch(self) -> str:
        """The branch pull requests go to."""
        ...

    def tree(self, path: str) -> str:
        """The git object id of a file or folder at this commit (`.` is the whole); equal id, equal bytes."""
        ...

    def paths(self) -> Sequence[str]:
        """Every tracked path, with `/`, sorted."""
        ...

    def read(self, path: str, *, limit: int = 10 * 1024**2) -> bytes:
        """The bytes of a file; raises `ForgeError` where it is missing or larger than `limit`."""
        ...

    def mode(self, path: str) -> str:
        """The git mode of a file: `100644`, or `100755` where it may be run."""
        ...

    def export(self, destination: Path) -> None:
        """Write all files (a `git archive`: no `.git`) below `destination`."""
        ...


class Forge(Protocol):
    """Where projects live and publications appear. Blocking; raises `ForgeError`s."""

    def checkout(self, project: Project, commit: str | None = None) -> Checkout:
        """The files of the project's base branch now, or at an earlier commit of it."""
        ...

    def find(self, project: Project, slot: str, branch: str) -> Publication | None:
        """The newest pull request of ours for a slot (marker and author checked), in any state."""
        ...

    def publish(self, project: Project, wanted: PullRequest, existing: Publication | None) -> Publication:
        """Open a pull request, or bring the open one up to date; returns what the forge confirmed."""
        ...

    def find_issue(self, project: Project, slot: str) -> Publication | None:
        """The newest issue of ours for a slot, in any state."""
        ...

    def publish_issue(self, project: Project, wanted: Issue, existing: Publication | None) -> Publication:
        """Open an issue, or bring the open one up to date."""
        ...

    def close(self, project: Project, publication: Publication, comment: str) -> Publication:
        """Close a pull request or issue of ours with a comment that says why."""
        ...

    def open_pulls(self, project: Project) -> tuple[OpenPull, ...]:
        """The open pull requests into the project's base branch, everybody's, newest first; bounded."""
        ...

    def proposal(self, project: Project, pull: OpenPull, paths: Sequence[str]) -> Proposal:
        """What a pull request changes; the bytes of those of `paths` that are among it."""
        ...

    def attest(self, project: Project, check: Check) -> bool:
        """Say it on the commit, once; False where only its title could be said there (a commit status)."""
        ...

    def say(self, project: Project, url: str, key: str, text: str) -> None:
        """Have one comment of ours with this key and text on a pull request or issue, kept up to date."""
        ...
