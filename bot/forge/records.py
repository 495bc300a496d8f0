"""What the local forge remembers: for each pull request and issue a page for people, and a record."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.errors import ForgeRefused
from bot.model.marker import file_name
from bot.model.run import Publication, PublicationKind, PublicationState

_FOLDERS: Final = {PublicationKind.PULL_REQUEST: "pull-requests", PublicationKind.ISSUE: "issues"}


@dataclass(frozen=True, slots=True)
class Record:
    """A pull request or issue of the local forge.

    Attributes:
        kind: Which of the two.
        slot: See `Publication`; likewise the fields that follow, up to `body_digest`.
        project: Name of the project.
        digest: What it proposes.
        title: One line.
        state: What became of it, as far as it was seen.
        body_digest: sha256 of title and body.
        name: Base name of its two files.
        branch: Its branch; empty for an issue.
        base: The branch it goes to; empty for an issue.
        commit: The commit we put on its branch.
        blobs: Object id of each changed file's new bytes, to know a merge by.
        labels: Labels it carries.
        draft: True where the verdict blocks.
        comments: What was said when it was closed.
    """

    kind: PublicationKind
    slot: str
    project: str
    digest: str
    title: str
    state: PublicationState
    body_digest: str
    name: str
    branch: str = ""
    base: str = ""
    commit: str = ""
    blobs: dict[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    draft: bool = False
    comments: tuple[str, ...] = ()


class Records:
    """The records of all projects below a state folder.

    Args:
        state: The state folder; pages are at `pull-requests/<project>/<name>.md` and `issues/…` in it.
    """

    def __init__(self, state: Path) -> None:
        self._state = state

    def page(self, record: Record) -> Path:
        """Where a person reads it."""
        return self._folder(record.kind, record.project) / f"{record.name}.md"

    def publication(self, record: Record, *, commit: str) -> Publication:
        """The record as the rest of Refit knows it, with the commit its branch is on now."""
        return Publication(
            slot=record.slot,
            kind=record.kind,
            project=record.project,
            digest=record.digest,
            url=str(self.page(record)),
            branch=record.branch,
            state=record.state,
            commit=commit,
            body_digest=record.body_digest,
        )

    def all(self, kind: PublicationKind, project: str) -> Iterator[Record]:
        """The records of one project."""
        for path in sorted(self._folder(kind, project).glob("*.json")):
            yield _load(path)

    def find(self, kind: PublicationKind, project: str, slot: str) -> Record | None:
        """The record of a slot, or None."""
        return next((record for record in self.all(kind, project) if record.slot == slot), None)

    def save(self, record: Record, page: str | None = None) -> None:
        """Store a record, its page first: a record never names a page that is not there."""
        if page is not None:
            _replace(self.page(record), page)
        _replace(self.page(record).with_suffix(".json"), json.dumps(asdict(record), indent=1))

    def add(self, record: Record, text: str) -> None:
        """Append a paragraph to a page, once."""
        page = self.page(record)
        before = page.read_text() if page.exists() else ""
        if text not in before:
            _replace(page, f"{before.rstrip()}\n\n---\n\n{text}\n")

    def _folder(self, kind: PublicationKind, project: str) -> Path:
        return self._state / _FOLDERS[kind] / file_name(project)


def _load(path: Path) -> Record:
    try:
        fields: dict[str, Any] = json.loads(path.read_text())
        fields["kind"] = PublicationKind(fields["kind"])
        fields["state"] = PublicationState(fields["state"])
        fields |= {name: tuple(fields[name]) for name in ("labels", "comments")}
        return Record(**fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ForgeRefused(
            f"{path} is no record of the local forge: {error}",
            hint="Delete this file; Refit then opens the pull request again.",
        ) from error


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
